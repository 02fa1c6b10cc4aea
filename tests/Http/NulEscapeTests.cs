using System.Text;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>Encoded NULs are carried past the server in request lines, and nowhere else.</summary>
[Collection(GatewayCollection.Name)]
public class NulEscapeTests(GatewayFixture fixture)
{
    private RunningGateway Gateway => fixture.Gateway;

    [SkippableFact]
    public async Task RequestMayBeSplitAnywhere()
    {
        await Gateway.Redis.StringSetAsync("s\0plit\0"u8.ToArray(), "v");
        var request = RawHttp.Request("GET", "/get/s%00plit%00?%00");
        using var connection = await RawHttp.ConnectAsync(Gateway.Port);

        for (var at = 1; at < request.Length; at++)
        {
            await connection.SendAsync(request.AsMemory(0, at));
            await Task.Delay(2); // a segment of its own
            await connection.SendAsync(request.AsMemory(at));
            Assert.Equal("v"u8.ToArray(), RunningGateway.Parse(await connection.ReceiveAsync()).Value);
        }
    }

    [SkippableFact]
    public async Task RequestMayComeByteByByte()
    {
        await Gateway.Redis.StringSetAsync("\0byte\0"u8.ToArray(), "v");
        using var connection = await RawHttp.ConnectAsync(Gateway.Port);

        foreach (var one in RawHttp.Request("GET", "/get/%00byte%00"))
        {
            await connection.SendAsync(new[] { one });
            await Task.Delay(1);
        }

        Assert.Equal("v"u8.ToArray(), RunningGateway.Parse(await connection.ReceiveAsync()).Value);
    }

    [SkippableFact]
    public async Task PipelinedRequestsKeepTheirKeysApart()
    {
        string[] keys = ["p\0", "p%00", "p", "\0p", "p\0\0", "p\u0001\u0002"];
        string[] targets = ["p%00", "p%2500", "p", "%00p", "p%00%00", "p%01%02"];
        for (var i = 0; i < keys.Length; i++)
        {
            await Gateway.Redis.StringSetAsync(Encoding.Latin1.GetBytes(keys[i]), $"{i}");
        }

        using var connection = await RawHttp.ConnectAsync(Gateway.Port);
        for (var round = 0; round < 20; round++)
        {
            await connection.SendAsync(targets.SelectMany(target => RawHttp.Request("GET", $"/get/{target}")).ToArray());
            for (var i = 0; i < keys.Length; i++)
            {
                Assert.Equal($"{i}", Encoding.ASCII.GetString(RunningGateway.Parse(await connection.ReceiveAsync()).Value));
            }
        }
    }

    [SkippableFact]
    public async Task EmptyLinesBeforeARequestAreNoHindrance()
    {
        await Gateway.Redis.StringSetAsync("\0lines"u8.ToArray(), "v");
        using var connection = await RawHttp.ConnectAsync(Gateway.Port);

        foreach (var before in new[] { "\r\n", "\r\n\r\n" })
        {
            await connection.SendAsync([.. Encoding.ASCII.GetBytes(before), .. RawHttp.Request("GET", "/get/%00lines")]);
            Assert.Equal(200, (await connection.ReceiveAsync()).Status);
        }
    }

    [SkippableFact]
    public async Task BodiesAreNeverTouched()
    {
        var body = Encoding.ASCII.GetBytes("GET /get/%00 HTTP/1.1\r\nHost: a\r\n\r\nGET /get/%00%00 HTTP/1.1\r\n\r\n%00 /%00\r\n");
        await Gateway.Redis.StringSetAsync("\0after"u8.ToArray(), "v");
        using var connection = await RawHttp.ConnectAsync(Gateway.Port);
        var put = RawHttp.Request("PUT", "/v1/keys/%00body", body);
        var after = RawHttp.Request("GET", "/get/%00after");

        // Cut into two segments at every place, with a request on its heels.
        for (var at = 1; at <= put.Length; at++)
        {
            await connection.SendAsync(put.AsMemory(0, at));
            if (at > put.Length - body.Length - 5 || at % 8 == 0)
            {
                await Task.Delay(1);
            }

            await connection.SendAsync([.. put.AsSpan(at), .. after]);
            Assert.Equal(204, (await connection.ReceiveAsync()).Status);
            Assert.Equal("v"u8.ToArray(), RunningGateway.Parse(await connection.ReceiveAsync()).Value);
            Assert.Equal(body, (byte[]?)await Gateway.Redis.StringGetAsync("\0body"u8.ToArray()));
        }
    }

    [SkippableFact]
    public async Task ChunkedBodiesAreNeverTouched()
    {
        const string Line = "GET /get/%00 HTTP/1.1\r\n";
        await Gateway.Redis.StringSetAsync("\0after"u8.ToArray(), "v");
        using var connection = await RawHttp.ConnectAsync(Gateway.Port);
        string[] parts =
        [
            "PUT /v1/keys/%00chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", $"{Line.Length:x}\r\n{Line}\r\n", $"{Line.Length:x}\r\n", Line, "\r\n2\r\n%0", "\r\n1\r\n0\r\n",
            "0\r\n\r\n" + "GET /get/%00after HTTP/1.1\r\nHost: a\r\n\r\n",
        ];

        for (var round = 0; round < 10; round++)
        {
            foreach (var part in parts)
            {
                await connection.SendAsync(part);
                await Task.Delay(round);
            }

            Assert.Equal(204, (await connection.ReceiveAsync()).Status);
            Assert.Equal("v"u8.ToArray(), RunningGateway.Parse(await connection.ReceiveAsync()).Value);
            Assert.Equal(Line + Line + "%00", (string?)await Gateway.Redis.StringGetAsync("\0chunks"u8.ToArray()));
        }
    }

    [SkippableFact]
    public async Task HeadersAreNeverTouched()
    {
        await Gateway.Redis.StringSetAsync("\0headers"u8.ToArray(), "v");
        using var connection = await RawHttp.ConnectAsync(Gateway.Port);

        // The rest of a head, arriving by itself, is no request line: a tag with %00 in it stays the tag that it is.
        var tag = (await Gateway.GetAsync("/get/%00headers"))["ETag"];
        foreach (var part in new[] { "GET /get/%00headers HTTP/1.1\r\n", "Host: a\r\nX: /%00\r\n", $"If-None-Match: \"%00\", {tag}\r\n", "\r\n" })
        {
            await connection.SendAsync(part);
            await Task.Delay(20);
        }

        Assert.Equal(304, (await connection.ReceiveAsync()).Status);
    }

    [SkippableFact]
    public async Task SignedLengthIsRefusedHowEverItComesAndLeftAloneInABody()
    {
        const string Line = "PUT /v1/keys/signed HTTP/1.1\r\n";
        foreach (var parts in new string[][] { [Line, "Host: a\r\ncontent-LENGTH: \t+5\r\n\r\nhello"], [Line + "Content-Length:", "+5\r\n\r\nhello"], [Line + "Host: a\r\nContent-Length: +", "5\r\n\r\nhello"] })
        {
            using var refused = await RawHttp.ConnectAsync(Gateway.Port);
            foreach (var part in parts)
            {
                await refused.SendAsync(part);
                await Task.Delay(10);
            }

            Assert.Equal(400, (await refused.ReceiveAsync()).Status);
        }

        var body = "x\r\nContent-Length: +5\r\n\r\nContent-Length: +6\r\n"u8.ToArray();
        using var connection = await RawHttp.ConnectAsync(Gateway.Port);
        var request = RawHttp.Request("PUT", "/v1/keys/+signed", body);
        for (var at = 1; at < request.Length; at++)
        {
            await connection.SendAsync(request.AsMemory(0, at));
            await Task.Delay(1);
            await connection.SendAsync(request.AsMemory(at));
            Assert.Equal(204, (await connection.ReceiveAsync()).Status);
            Assert.Equal(body, (byte[]?)await Gateway.Redis.StringGetAsync("+signed"));
        }
    }

    [SkippableTheory]
    [InlineData("POST", "/get/a", 405)]
    [InlineData("PATCH", "/v1/keys/a", 405)]
    [InlineData("POST", "/unknown", 404)]
    [InlineData("PUT", "/v1/keys/%zz", 400)]
    [InlineData("PUT", "/v1/keys/a?ex=0", 400)]
    [InlineData("GET", "/get/not%00there", 404)]
    [InlineData("DELETE", "/v1/keys/not%00there", 204)]
    [InlineData("GET", "/", 200)]
    public async Task RequestAfterABodyThatNobodyReadIsAnsweredOrTheConnectionClosed(string method, string target, int status)
    {
        await Gateway.Redis.StringSetAsync("\0next"u8.ToArray(), "v");
        foreach (var chunked in new[] { false, true })
        {
            foreach (var pause in new[] { 0, 20 })
            {
                using var connection = await RawHttp.ConnectAsync(Gateway.Port);
                var body = "GET /get/%00 HTTP/1.1\r\nHost: a\r\n\r\n";
                await connection.SendAsync($"{method} {target} HTTP/1.1\r\nHost: a\r\n" + (chunked ? "Transfer-Encoding: chunked\r\n\r\n" : $"Content-Length: {body.Length}\r\n\r\n"));
                await Task.Delay(pause);
                await connection.SendAsync(chunked ? $"{body.Length:x}\r\n{body}\r\n0\r\n\r\n" : body);
                Assert.Equal(status, (await connection.ReceiveAsync()).Status);

                await connection.SendAsync(RawHttp.Request("GET", "/get/%00next"));
                if (await connection.TryReceiveAsync() is { } next)
                {
                    Assert.Equal("v"u8.ToArray(), RunningGateway.Parse(next).Value);
                }
            }
        }
    }
}
