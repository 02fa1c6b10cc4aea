using System.Diagnostics;
using System.Globalization;
using RpOrleans.Tests.Resp;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Processes;

/// <summary>A gateway that is told to stop while sixteen readers read through it and another.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class GatewayStopTests(ClusterFixture cluster, ITestOutputHelper output) : IDisposable
{
    private readonly Keys _keys = new("stop", 2_000);

    public void Dispose() => output.WriteLine(cluster.TakeReport());

    [SkippableFact]
    public async Task GatewayToldToStopClosesItsConnectionsAndFailsNobodyWhoGoesElsewhere()
    {
        await cluster.WholeAsync();
        await using var load = await Load.StartAsync(cluster, _keys);
        var gateway = cluster.Gateways[0];

        var told = Stopwatch.GetTimestamp();
        gateway.Term();
        var notReady = await Eventually.TrueAsync(async () => (await gateway.AdminAsync("/readyz")).Status == 503, TimeSpan.FromSeconds(1), "the gateway says that it is not ready");
        Assert.False(gateway.HasEnded);
        Assert.True(await gateway.EndsWithinAsync(TimeSpan.FromSeconds(30)));
        var ended = Stopwatch.GetElapsedTime(told);
        await load.RunAsync(TimeSpan.FromSeconds(1));
        var answers = await load.StopAsync();

        var late = told + Answers.Ticks(TimeSpan.FromMilliseconds(100));
        var closing = answers.All.Where(answer => answer is { Gateway: 0, Closes: true }).ToList();
        output.WriteLine($"not ready after {notReady.TotalMilliseconds:F0} ms, ended after {ended.TotalMilliseconds:F0} ms with {gateway.ExitCode}; {closing.Count} answers closed their connection; {answers}");
        Assert.Equal(0, gateway.ExitCode);
        answers.AssertSound();
        answers.AssertNoFailure();
        Assert.NotEmpty(closing);
        Assert.All(closing, answer => Assert.Equal(Verdict.Right, answer.Verdict));
        Assert.DoesNotContain(answers.All, answer => answer is { Gateway: 0, Closes: false } && answer.Sent > late);
    }
    [SkippableFact]
    public async Task RedisClientsOfAGatewayThatStopsAreSentAwayBetweenRequests()
    {
        await cluster.WholeAsync();
        var gateway = cluster.Gateways[1];
        var port = int.Parse(gateway.Settings["RESP_PORT"], CultureInfo.InvariantCulture);
        using var idle = await RespSocket.ConnectAsync(port);
        using var busy = await RespSocket.ConnectAsync(port);
        using var subscribed = await RespSocket.ConnectAsync(port);
        using var blocked = await RespSocket.ConnectAsync(port);
        using var inTransaction = await RespSocket.ConnectAsync(port);
        using var forgotten = await RespSocket.ConnectAsync(port);
        Assert.Equal("+PONG\r\n", await idle.AskAsync("+PONG\r\n", "PING"));
        const string Subscribed = "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n";
        Assert.Equal(Subscribed, await subscribed.AskAsync(Subscribed, "SUBSCRIBE", "news"));
        foreach (var client in new[] { inTransaction, forgotten })
        {
            Assert.Equal("+OK\r\n", await client.AskAsync("+OK\r\n", "MULTI"));
            Assert.Equal("+QUEUED\r\n", await client.AskAsync("+QUEUED\r\n", "SET", "stopped", "no"));
        }

        await blocked.SendAsync(RespSocket.Command("BLPOP", "nothing", "0"));
        var told = Stopwatch.StartNew();
        gateway.Term();

        var answers = 0;
        for (; await busy.AskAsync("+PONG\r\n", "PING") is var answer && answer == "+PONG\r\n"; answers++)
        {
            Assert.True(told.Elapsed < TimeSpan.FromSeconds(3), "the busy client is still served");
        }

        var served = told.Elapsed;
        Assert.Equal("<closed>", await idle.ReceiveAllAsync());
        Assert.Equal("<closed>", await subscribed.ReceiveAllAsync());
        Assert.InRange(told.Elapsed.TotalSeconds, 0, 3);
        Assert.Equal("*1\r\n+OK\r\n", await inTransaction.AskAsync("*1\r\n+OK\r\n", "EXEC"));
        Assert.Equal("<closed>", await inTransaction.ReceiveAllAsync());
        await blocked.ReceiveAllAsync();
        await forgotten.ReceiveAllAsync();
        Assert.True(await gateway.EndsWithinAsync(TimeSpan.FromSeconds(3)));

        output.WriteLine($"{answers} answers in {served.TotalMilliseconds:F0} ms, ended after {told.Elapsed.TotalMilliseconds:F0} ms");
        Assert.Equal(0, gateway.ExitCode);
        Assert.InRange(served.TotalSeconds, 1, 3); // as long as a balancer may still send new ones here
        Assert.InRange(told.Elapsed.TotalSeconds, 5, 9);
    }
}
