using System.Text;
using CsCheck;
using RpOrleans.Gateway.Http;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>Which requests are answered before Kestrel sees them: none that it might understand otherwise.</summary>
[Collection(GatewayCollection.Name)]
public class PlainGetTests(GatewayFixture fixture)
{
    private const string Host = "Host: localhost:8080\r\n";

    private static readonly string[] _parts =
    [
        "GET", "get", "HEAD", "GET ", " ", "/get/", "/v1/keys/", "/set", "a", "plain", "none", "quoted", "%41", "%00", "?a=b", "#", "..", "/", "HTTP/1.1", "HTTP/1.0", "\r\n", "\n", "\r", "\t", ":", ",", ";", "\0", "\u00e4", "\"",
        "Host: a\r\n", "Host: a:1\r\n", "Host: a:\r\n", "Host: a b\r\n", "Host: [::1]:8080\r\n", "host:a\r\n", "Host : a\r\n", " Host: a\r\n", "Accept: */*\r\n", "Accept: text/plain\r\n", "Accept: application/json\r\n",
        "accept: APPLICATION/JSON\r\n", "Connection: keep-alive\r\n", "Connection: Keep-Alive\r\n", "Connection: close\r\n", "Connection: keep-alive, x\r\n", "User-Agent: x\r\n", "user-agent:\r\n", "User-Agent: a\r\n b\r\n",
        "Cache-Control: no-cache\r\n", "If-None-Match: *\r\n", "Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n", "Accept-Encoding: gzip, br\r\n", "Cookie: a=b; c=\"d\"\r\n", "Expect: 100-continue\r\n", "Authorization: Basic x\r\n",
    ];

    private static readonly Gen<string> _head = Gen.Select(
        Gen.OneOf("/get/plain", "/v1/keys/plain", "/get/none", "/get/quoted", "/get/a,b;c=@:~"),
        Gen.OneOf(_parts).Array[0, 4], Gen.Select(Gen.Double.Unit, Gen.OneOf(_parts), Gen.Int[0, 2]).Array[0, 2],
        (target, fields, splices) => splices.Aggregate($"GET {target} HTTP/1.1\r\n{Host}{string.Concat(fields)}\r\n", static (head, splice) =>
        {
            var (where, part, over) = splice;
            var at = (int)(where * head.Length);
            return head[..at] + part + head[Math.Min(head.Length, at + over)..];
        }));

    public static TheoryData<string, string> Taken => new()
    {
        { $"GET /get/a HTTP/1.1\r\n{Host}\r\n", "a" },
        { $"GET /v1/keys/user:7 HTTP/1.1\r\n{Host}\r\n", "user:7" },
        { $"GET /get/.. HTTP/1.1\r\n{Host}\r\n", ".." },
        { $"GET /get/a+b&c=d;e@f,g HTTP/1.1\r\n{Host}\r\n", "a+b&c=d;e@f,g" },
        { "GET /get/a HTTP/1.1\r\nHOST:a\r\nUser-Agent: curl/8\r\nAccept:  */* \r\nConnection: Keep-Alive\r\nAccept-Encoding: gzip\r\n\r\n", "a" },
        { $"GET /get/a HTTP/1.1\r\nAccept: application/json\r\ntraceparent: 00-1-2-00\r\n{Host}\r\nGET /get/b HTTP/1.1\r\n", "a" },
    };

    public static TheoryData<string> Left => new(
        $"HEAD /get/a HTTP/1.1\r\n{Host}\r\n", $"GET /get/a HTTP/1.0\r\n{Host}\r\n", $"GET /get/a HTTP/1.1\r\n{Host}", "GET /get/a HTTP/1.1\r\n\r\n", $"GET /get/a HTTP/1.1\r\n{Host}{Host}\r\n",
        $"GET /get/ HTTP/1.1\r\n{Host}\r\n", $"GET /get/a/b HTTP/1.1\r\n{Host}\r\n", $"GET /get/%41 HTTP/1.1\r\n{Host}\r\n", $"GET /get/a?b HTTP/1.1\r\n{Host}\r\n", $"GET /get/a#b HTTP/1.1\r\n{Host}\r\n",
        $"GET /get/\u00e4 HTTP/1.1\r\n{Host}\r\n", $"GET http://a/get/a HTTP/1.1\r\n{Host}\r\n", $"GET  /get/a HTTP/1.1\r\n{Host}\r\n", $"GET /get/a  HTTP/1.1\r\n{Host}\r\n", $"\r\nGET /get/a HTTP/1.1\r\n{Host}\r\n",
        $"GET /get/a HTTP/1.1\n{Host}\r\n", $"GET /get/a HTTP/1.1\r\nHost: a\n\r\n", $"GET /get/a HTTP/1.1\r\n{Host}\n", $"GET /get/a HTTP/1.1\r\n{Host}User-Agent: a\r\n b\r\n\r\n", $"GET /get/a HTTP/1.1\r\n{Host}User-Agent : a\r\n\r\n",
        $"GET /get/a HTTP/1.1\r\n{Host}User-Agent: \u00e4\r\n\r\n", $"GET /get/a HTTP/1.1\r\n{Host}User-Agent: \0\r\n\r\n", $"GET /get/a HTTP/1.1\r\n{Host}: a\r\n\r\n", $"GET /get/a HTTP/1.1\r\n{Host}a\r\n\r\n",
        "GET /get/a HTTP/1.1\r\nHost: \r\n\r\n", "GET /get/a HTTP/1.1\r\nHost: a b\r\n\r\n", "GET /get/a HTTP/1.1\r\nHost: a:b\r\n\r\n", "GET /get/a HTTP/1.1\r\nHost: a:\r\n\r\n", "GET /get/a HTTP/1.1\r\nHost: a/b\r\n\r\n",
        $"GET /get/a HTTP/1.1\r\n{Host}Accept: text/plain\r\n\r\n", $"GET /get/a HTTP/1.1\r\n{Host}Accept: */*\r\nAccept: */*\r\n\r\n", $"GET /get/a HTTP/1.1\r\n{Host}Connection: close\r\n\r\n",
        $"GET /get/a HTTP/1.1\r\n{Host}Cache-Control: no-cache\r\n\r\n", $"GET /get/a HTTP/1.1\r\n{Host}If-None-Match: *\r\n\r\n", $"GET /get/a HTTP/1.1\r\n{Host}Authorization: Basic x\r\n\r\n",
        $"GET /get/a HTTP/1.1\r\n{Host}Content-Length: 0\r\n\r\n", $"GET /get/a HTTP/1.1\r\n{Host}Transfer-Encoding: chunked\r\n\r\n", $"GET /get/a HTTP/1.1\r\n{Host}Expect: 100-continue\r\n\r\n", $"GET /get/a HTTP/1.1\r\n{Host}Unknown: a\r\n\r\n",
        $"GET /get/a HTTP/1.1\r\n{Host}{string.Concat(Enumerable.Repeat("Cookie: a\r\n", 30))}\r\n", $"GET /get/a HTTP/1.1\r\n{Host}Cookie: {new string('a', 5_000)}\r\n\r\n");

    [Theory]
    [MemberData(nameof(Taken))]
    public void PlainOneIsTaken(string head, string key)
    {
        Assert.True(PlainGet.TryRead(Bytes(head), out var taken, out var length));
        Assert.Equal(key, Encoding.Latin1.GetString(taken));
        Assert.Equal(head.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4, length);
    }

    [Theory]
    [MemberData(nameof(Left))]
    public void EverythingElseIsLeft(string head) => Assert.False(PlainGet.TryRead(Bytes(head), out _, out _));

    [Theory]
    [MemberData(nameof(Taken))]
    public void ItIsTakenWhole(string head, string key)
    {
        Assert.NotEmpty(key);
        for (var length = 0; length < head.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4; length++)
        {
            Assert.False(PlainGet.TryRead(Bytes(head[..length]), out _, out _), head[..length]);
        }
    }

    [SkippableFact]
    public async Task WhatIsTakenIsAnsweredAsKestrelAnswersIt()
    {
        var gateway = fixture.Gateway;
        await gateway.Redis.StringSetAsync("plain", "some text");
        await gateway.Redis.StringSetAsync("quoted", "a \"quoted\" \u00e4");
        await gateway.GetAsync("/get/plain");
        await gateway.GetAsync("/get/quoted");
        using var direct = await RawHttp.ConnectAsync(gateway.Port);
        using var kestrel = await RawHttp.ConnectAsync(gateway.Port);
        var taken = 0;

        await _head.SampleAsync(
            async head =>
            {
                if (!PlainGet.TryRead(Bytes(head), out _, out var length))
                {
                    return;
                }

                taken++;
                head = head[..length];
                await direct.SendAsync(head);
                var answer = Said(await direct.ReceiveAsync());
                await kestrel.SendAsync(head[..^2] + "Unknown: so it is left\r\n\r\n");
                Assert.Equal(Said(await kestrel.ReceiveAsync()), answer);
            },
            iter: 40_000, threads: 1);

        Assert.True(taken > 3_000, $"{taken} were taken.");
    }

    [SkippableFact]
    public async Task PlainOnesAmongOthersAreAnsweredInTheirTurn()
    {
        var gateway = fixture.Gateway;
        byte[] pipeline =
        [
            .. RawHttp.Request("GET", "/get/turn"), .. RawHttp.Request("PUT", "/v1/keys/turn", "GET /get/a HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray()), .. RawHttp.Request("GET", "/v1/keys/turn", null, "Accept: text/plain"),
            .. RawHttp.Request("GET", "/get/turn"), .. RawHttp.Request("DELETE", "/v1/keys/turn"), .. RawHttp.Request("GET", "/get/turn"), .. RawHttp.Request("GET", "/get/%00"), .. RawHttp.Request("GET", "/v1/keys/turn"),
        ];
        const string Value = "GET /get/a HTTP/1.1\r\nHost: a\r\n\r\n";
        for (var at = 1; at < pipeline.Length; at += 3)
        {
            using var connection = await RawHttp.ConnectAsync(gateway.Port);
            await connection.SendAsync(pipeline.AsMemory(0, at));
            await Task.Delay(1);
            await connection.SendAsync(pipeline.AsMemory(at));

            Assert.Equal(404, (await connection.ReceiveAsync()).Status);
            Assert.Equal(204, (await connection.ReceiveAsync()).Status);
            Assert.Equal(Value, (await connection.ReceiveAsync()).Text);
            Assert.Equal(Value, Encoding.UTF8.GetString(RunningGateway.Parse(await connection.ReceiveAsync()).Value));
            Assert.Equal(204, (await connection.ReceiveAsync()).Status);
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal((404, "key was not found"), (await connection.ReceiveAsync()) is var answer ? (answer.Status, answer.Text) : default);
            }
        }
    }

    /// <summary>All of an answer but for what the clock says.</summary>
    private static string Said(RawAnswer answer) => $"{answer.Status}\n{string.Join('\n', answer.Headers.Select(header => $"{header.Name}: {(header.Name is "Date" or "Age" ? "" : header.Value.Split("ttl=")[0])}"))}\n{answer.Text}";

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}
