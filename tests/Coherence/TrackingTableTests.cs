using System.Text.Json;
using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Coherence;

/// <summary>What a node says of Redis's table of tracked keys.</summary>
[Collection(ProcessesCollection.Name)]
[Trait(Beside.Name, Beside.Others)]
public sealed class TrackingTableTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    [SkippableFact]
    public async Task TableThatFillsUpIsReportedAndWarnedOfOnce()
    {
        await using var redis = await RedisServer.StartAsync(null, null, "--tracking-table-max-keys", "200");
        await using var node = await AllInOne.StartAsync(redis.Port, ("RECORD_CAPACITY", "100"));
        await FigureAsync(node, "trackingTableLimit", limit => limit == 200);
        Assert.DoesNotContain("Redis tracks", node.Process.Output);

        for (var i = 0; i < 190; i++)
        {
            await node.Client.GetAsync($"key:{i}");
        }

        await FigureAsync(node, "trackingTableKeys", keys => keys is >= 190 and <= 200);
        await FigureAsync(node, "trackingTableItems", keys => keys is >= 190 and <= 200);
        await Eventually.TrueAsync(() => Task.FromResult(node.Process.Output.Contains("of 200 at most")), _patience, "it is warned of");
        await redis.CommandAsync("CONFIG", "SET", "tracking-table-max-keys", "0");
        await FigureAsync(node, "trackingTableLimit", limit => limit == 0); // soon, since it was full
        Assert.Single(node.Process.Output.Split('\n'), line => line.Contains("CONFIG SET tracking-table-max-keys N"));
    }

    [SkippableFact]
    public async Task CapacityThatRedisCannotTrackIsWarnedOfAtOnce()
    {
        await using var redis = await RedisServer.StartAsync(null, null, "--tracking-table-max-keys", "200");
        await using var node = await AllInOne.StartAsync(redis.Port, ("RECORD_CAPACITY", "201"));

        await Eventually.TrueAsync(
            () => Task.FromResult(node.Process.Output.Contains("1 node(s) may hold 201 entries each (RECORD_CAPACITY), but Redis tracks 200 keys at most")), _patience, "it is warned of");
    }

    [SkippableFact]
    public async Task RedisThatDoesNotTellItsLimitIsAskedForItsFiguresAllTheSame()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.CommandAsync("ACL", "SETUSER", "reader", "on", ">secret", "~*", "&*", "+@all", "-config");
        await using var node = await AllInOne.StartAsync(redis.Port, ("REDIS_USER", "reader"), ("REDIS_PASSWORD", "secret"));

        await FigureAsync(node, "trackingTableKeys", keys => keys > 0);

        Assert.False((await node.Process.NodesAsync())[0].TryGetProperty("trackingTableLimit", out _));
    }

    private static Task<TimeSpan> FigureAsync(AllInOne node, string name, Predicate<long> expected) => Eventually.TrueAsync(
        async () => await node.Process.NodesAsync() is [var figures] && figures.TryGetProperty(name, out var figure) && figure.ValueKind == JsonValueKind.Number && expected(figure.GetInt64()),
        _patience,
        $"{name} is as expected");
}
