using System.Diagnostics;
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
}
