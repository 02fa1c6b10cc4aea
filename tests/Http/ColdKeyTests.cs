using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>Readers of one cold key share one read of Redis.</summary>
public class ColdKeyTests(GatewayFixture fixture) : IClassFixture<GatewayFixture>
{
    [SkippableFact]
    public async Task TwoHundredConcurrentReadersCauseOneReadOfRedis()
    {
        var gateway = fixture.Gateway;
        await gateway.Redis.StringSetAsync("cold", "v");
        var connections = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => RawHttp.ConnectAsync(gateway.Port)));
        var before = await gateway.CallsAsync("getrange");
        var request = RawHttp.Request("GET", "/get/cold");

        var answers = await Task.WhenAll(connections.Select(async connection =>
        {
            await connection.SendAsync(request);
            return await connection.ReceiveAsync();
        }));

        Assert.Equal(before + 1, await gateway.CallsAsync("getrange"));
        Assert.All(answers, answer => Assert.Equal("v"u8.ToArray(), RunningGateway.Parse(answer).Value));
        Assert.Single(answers, answer => answer["Cache-Status"] == "rporleans; fwd=uri-miss; stored");
        Assert.All(answers, answer => Assert.Equal(
            answer["Cache-Status"]!.StartsWith("rporleans; hit", StringComparison.Ordinal) ? "cache" : "redis", RunningGateway.Parse(answer).Source));
        Array.ForEach(connections, connection => connection.Dispose());
    }

    [SkippableFact]
    public async Task ReadersWhoWaitWithAnotherSaySo()
    {
        var gateway = fixture.Gateway;
        await gateway.Redis.StringSetAsync("held up", "v");
        var before = await gateway.CallsAsync("getrange");

        await gateway.Server.CommandAsync("CLIENT", "PAUSE", "150", "ALL"); // the first read stays in flight while the others arrive
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => gateway.GetAsync("/get/held%20up")));

        Assert.Equal(before + 1, await gateway.CallsAsync("getrange"));
        Assert.Single(answers, answer => answer["Cache-Status"] == "rporleans; fwd=uri-miss; stored");
        Assert.Equal(19, answers.Count(answer => answer["Cache-Status"] == "rporleans; fwd=uri-miss; collapsed"));
        Assert.All(answers, answer => Assert.Equal(("MISS", """{"value": "v", "source": "redis"}"""), (answer["X-Cache"], answer.Text)));
    }

    [SkippableFact]
    public async Task ReaderWhoGoesAwayTakesNothingFromTheOthers()
    {
        var gateway = fixture.Gateway;
        await gateway.Redis.StringSetAsync("left", "v");

        await gateway.Server.CommandAsync("CLIENT", "PAUSE", "150", "ALL");
        using (var first = await RawHttp.ConnectAsync(gateway.Port))
        {
            await first.SendAsync(RawHttp.Request("GET", "/get/left"));
            await Task.Delay(30);
        }

        Assert.Equal("v"u8.ToArray(), (await gateway.ReadAsync("/get/left")).Value);
    }
}
