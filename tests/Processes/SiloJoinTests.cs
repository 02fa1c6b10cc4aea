using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Processes;

/// <summary>A silo that is added while sixteen readers read.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class SiloJoinTests(ClusterFixture cluster, ITestOutputHelper output) : IDisposable
{
    private readonly Keys _keys = new("join", 10_000);

    public void Dispose() => output.WriteLine(cluster.TakeReport());

    [SkippableFact]
    public async Task AddedSiloFailsNoReadAndMovesOnlyTheKeysItWins()
    {
        await cluster.WholeAsync();
        await using var load = await Load.StartAsync(cluster, _keys);
        var loads = await cluster.LoadsAsync();
        var movable = _keys.Count * (0.25 + 0.05);

        await cluster.AddSiloAsync();
        await cluster.SeenAsync(4);
        await load.RunAsync(TimeSpan.FromSeconds(2));
        var answers = await load.StopAsync();
        var rest = await Load.WarmAsync(cluster.Ports, _keys);
        var again = await cluster.LoadsAsync() - loads;

        var moved = answers.All.Concat(rest).Where(answer => answer.FromRedis).Select(answer => answer.Key).Distinct().Count();
        var newcomer = (await cluster.Gateways[0].NodesAsync()).Single(node => node.GetProperty("node").GetString() == $"127.0.0.1:{cluster.Silos[3].Settings["SILO_PORT"]}");
        output.WriteLine($"{moved} of {_keys.Count} keys moved, in {again} loads; the new silo holds {newcomer.GetProperty("entries")}; {answers}");
        answers.AssertSound();
        answers.AssertNoFailure();
        Assert.InRange(moved, 1, movable);
        Assert.InRange(again, 1, movable);
    }
}
