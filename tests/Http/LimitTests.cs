using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>What is too large is refused as such.</summary>
[Collection(GatewayCollection.Name)]
public class LimitTests(GatewayFixture fixture)
{
    private RunningGateway Gateway => fixture.Gateway;

    [SkippableTheory]
    [InlineData(5_000)]
    [InlineData(100_000)]
    [InlineData(2_000_000)]
    public async Task HugeRequestLineIsTooLong(int length)
    {
        foreach (var target in new[] { $"/get/{new string('a', length)}", $"/get/a?{new string('a', length)}", $"/get/{string.Concat(Enumerable.Repeat("%00", length / 3))}", $"/{new string('a', length)}" })
        {
            var (answer, closed) = await RawHttp.AskAsync(Gateway.Port, RawHttp.Request("GET", target));
            Assert.True(closed);
            Assert.True(answer is { Status: 414 } || (answer is null && length > 1_000_000), $"{answer}"); // an answer may be lost when what was sent is never read
        }

        await Gateway.LivesAsync();
    }

    [SkippableFact]
    public async Task HugeHeadersAreTooLarge()
    {
        foreach (var headers in new[] { [$"X: {new string('a', 40_000)}"], Enumerable.Range(0, 200).Select(i => $"X-{i}: a").ToArray(), [$"{new string('x', 40_000)}: a"], [$"Accept: {new string(',', 40_000)}"] })
        {
            var (answer, closed) = await RawHttp.AskAsync(Gateway.Port, RawHttp.Request("GET", "/get/a", null, headers));
            Assert.Equal((431, true), (answer!.Status, closed));
        }
    }

    [SkippableTheory]
    [InlineData("PUT /v1/keys/a")]
    [InlineData("POST /set")]
    [InlineData("POST /")]
    [InlineData("POST /v1/keys:batchGet")]
    public async Task HugeBodyIsRefusedOnItsAnnouncement(string request)
    {
        var (answer, closed) = await RawHttp.AskAsync(Gateway.Port, System.Text.Encoding.ASCII.GetBytes($"{request} HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000000\r\n\r\nx"));

        Assert.Equal((413, true), (answer!.Status, closed));
        Assert.Equal("application/problem+json", answer["Content-Type"]);
    }

    [SkippableFact]
    public async Task HugeBodyInChunksIsRefusedWhenItHasGrownTooLarge()
    {
        using var connection = await RawHttp.ConnectAsync(Gateway.Port);
        await connection.SendAsync("PUT /v1/keys/grown HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        var chunk = new byte[1_048_576];
        var receiving = connection.ReceiveAsync();
        for (var i = 0; i < 18 && await connection.SendAsync("100000\r\n") && await connection.SendAsync(chunk) && await connection.SendAsync("\r\n"); i++)
        {
        }

        Assert.Equal(413, (await receiving).Status);
        Assert.False(await Gateway.Redis.KeyExistsAsync("grown"));
    }

    [SkippableTheory]
    [InlineData("Accept: ")]
    [InlineData("Cache-Control: ")]
    [InlineData("If-None-Match: ")]
    public async Task OddHeadersDoNoHarm(string name)
    {
        await Gateway.Redis.StringSetAsync("harmless", "v");
        foreach (var value in new[] { "", ",", ",,,,", "\"", "\\", ";", "=", "*", "é", "\u00c3\u00a9", "a=\"", "a;q=", "a/b;q=9", "*/*;q=x", new string(',', 10_000), new string('a', 10_000), new string('"', 9_999), "W/\"" + new string('x', 10_000) + "\"" })
        {
            var (answer, _) = await RawHttp.AskAsync(Gateway.Port, RawHttp.Request("GET", "/get/harmless", null, name + value));
            Assert.Contains(answer!.Status, new[] { 200, 304, 400 });
        }
    }
}
