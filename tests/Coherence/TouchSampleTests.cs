using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Coherence;

/// <summary>What Redis hears of reads that are answered from memory.</summary>
[Collection(ProcessesCollection.Name)]
[Trait(Beside.Name, Beside.Others)]
public sealed class TouchSampleTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    [SkippableTheory]
    [InlineData("1", 1.0, 1.0)]
    [InlineData("0.5", 0.3, 0.7)]
    [InlineData("", 0.0, 0.0)]
    public async Task TheShareThatIsSetIsTouched(string share, double atLeast, double atMost)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await AllInOne.StartAsync(redis.Port, ("TOUCH_SAMPLE", share));
        await node.Process.ReadyAsync(_patience);
        await node.Client.GetAsync("key");
        var (hits, touches) = await FiguresAsync(node);

        await node.Client.RepeatAsync(200, "key");

        await Eventually.TrueAsync(
            async () => (await FiguresAsync(node)) is var now && (now.Touches - touches) / (double)(now.Hits - hits) is var seen && seen >= atLeast && seen <= atMost,
            _patience,
            "as many are touched");
        Assert.Equal(atLeast > 0, (await redis.CommandAsync("INFO", "commandstats")).Contains("cmdstat_touch"));
    }

    [SkippableFact]
    public async Task KeysThatAreTouchedAreInvalidatedAsBefore()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await AllInOne.StartAsync(redis.Port, ("TOUCH_SAMPLE", "1"));
        await node.Process.ReadyAsync(_patience);
        for (var round = 0; round < 20; round++)
        {
            await redis.CommandAsync("SET", "key", $"{round}");
            await Eventually.TrueAsync(async () => (await node.Client.GetAsync("key")).Body == $"{round}", TimeSpan.FromMilliseconds(250), "the change is seen");
            await Eventually.TrueAsync(async () => (await node.Client.GetAsync("key")).Cache == "HIT", _patience, "the key is held");
        }
    }

    [SkippableFact]
    public async Task HungRedisIsNotWaitedForAndHitsGoOn()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await AllInOne.StartAsync(redis.Port, ("TOUCH_SAMPLE", "1"), ("COHERENCE", "expiry"));
        await node.Process.ReadyAsync(_patience);
        await redis.CommandAsync("SET", "key", "value");
        await node.Client.GetAsync("key");

        redis.Pause();
        var replies = await node.Client.RepeatAsync(3_000, "key");

        Assert.All(replies, reply => Assert.Equal("HIT", reply.Cache));
        await Eventually.TrueAsync(async () => (await node.Process.NodesAsync())[0].GetProperty("touchesDropped").GetInt64() > 500, _patience, "touches are dropped");
        redis.Resume();
    }

    private static async Task<(long Hits, long Touches)> FiguresAsync(AllInOne node) =>
        (await node.Process.NodesAsync())[0] is var figures ? (figures.GetProperty("hits").GetInt64(), figures.GetProperty("touches").GetInt64()) : default;
}
