using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Coherence;

/// <summary>What freshness rests on, by setting and by what Redis can do.</summary>
[Collection(ProcessesCollection.Name)]
[Trait(Beside.Name, Beside.Others)]
public sealed class CoherenceModeTests(ITestOutputHelper output)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    [SkippableFact]
    public async Task ARedisThatMayNotTrackIsServedWithinRecordExpiryAndSaysSo()
    {
        await using var redis = await RedisThatMayNotTrackAsync();
        await using var node = await AllInOne.StartAsync(redis.Port, ("REDIS_USER", "reader"), ("REDIS_PASSWORD", "secret"));
        await node.Process.ReadyAsync(_patience);
        await redis.CommandAsync("SET", "key", "old");

        var first = await node.Client.GetAsync("key");
        await redis.CommandAsync("SET", "key", "new");
        var second = await node.Client.GetAsync("key");

        Assert.Equal(("MISS", "old"), (first.Cache, first.Body));
        Assert.Equal(("HIT", "old"), (second.Cache, second.Body));
        Assert.EndsWith("detail=expiry", second.CacheStatus);
        Assert.Contains("cannot tell of changes", node.Process.TakeReport());
        Assert.Contains("\"freshness\": \"Expiry\"", (await node.Process.AdminAsync("/stats")).Body);
    }

    [SkippableFact]
    public async Task WhereTrackingIsDemandedARedisThatMayNotTrackEndsTheStart()
    {
        await using var redis = await RedisThatMayNotTrackAsync();
        await using var node = await NodeProcess.StartGatewayAsync(new Dictionary<string, string>
        {
            ["REDIS_HOST"] = "127.0.0.1", ["REDIS_PORT"] = $"{redis.Port}", ["REDIS_USER"] = "reader", ["REDIS_PASSWORD"] = "secret", ["COHERENCE"] = "tracking",
        });

        Assert.True(await node.EndsWithinAsync(TimeSpan.FromSeconds(10)));

        Assert.True(node.ExitCode == 1, $"{node.ExitCode}:\n{node.Output}");
        Assert.Contains("COHERENCE=tracking, but this Redis cannot tell of changes", node.Output);
        Assert.DoesNotContain("secret", node.Output);
    }

    [Fact]
    public async Task AConnectionThatEndsBeforeItIsToldOfChangesIsNoRefusal()
    {
        await using var redis = new FakeRedis();
        string? name = null;
        var id = 7; // what Redis calls the connection; by the time it is to tell it of changes it has ended, and there is another
        redis.On("INFO", _ => FakeRedis.Bulk("# Replication\r\nrole:master\r\nmaster_replid:1234\r\n"));
        redis.On("SUBSCRIBE", words => $"*3\r\n$9\r\nsubscribe\r\n{FakeRedis.Bulk(words[1])}:1\r\n");
        redis.On("UNSUBSCRIBE", words => $"*3\r\n$11\r\nunsubscribe\r\n{FakeRedis.Bulk(words[1])}:1\r\n");
        redis.On("CLIENT", words =>
        {
            switch (words[1].ToUpperInvariant())
            {
                case "SETNAME" when words[2].Contains("invalidations", StringComparison.Ordinal):
                    name = words[2];
                    return "+OK\r\n";
                case "LIST":
                    return FakeRedis.Bulk(name is null ? "" : $"id={id} name={name}\n");
                case "TRACKING" when id == 7:
                    id = 8;
                    return "-ERR The client ID you want redirect to does not exist\r\n";
                case "TRACKING":
                    return "+OK\r\n";
                case "TRACKINGINFO":
                    return $"*4\r\n{FakeRedis.Bulk("flags")}*1\r\n{FakeRedis.Bulk("on")}{FakeRedis.Bulk("redirect")}:{id}\r\n";
                default:
                    return "+OK\r\n";
            }
        });

        await using var node = await NodeProcess.StartGatewayAsync(new Dictionary<string, string>
        {
            ["REDIS_HOST"] = "127.0.0.1", ["REDIS_PORT"] = $"{redis.Port}", ["COHERENCE"] = "tracking",
        });

        await node.ReadyAsync(_patience);
        await Eventually.TrueAsync(
            () => Task.FromResult(node.HasEnded ? throw new InvalidOperationException(node.Output) : node.Output.Contains("confirmed by tracking", StringComparison.Ordinal)),
            _patience,
            "Redis tells of changes");
        Assert.Contains(redis.Commands, words => words is ["CLIENT", "TRACKING", .., "7"]);
    }

    [SkippableFact]
    public async Task WhereTrackingIsDemandedNothingUnconfirmedIsServed()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await AllInOne.StartAsync(redis.Port, ("COHERENCE", "tracking"));
        await node.Process.ReadyAsync(_patience);
        await redis.CommandAsync("SET", "key", "value");
        await node.Client.RepeatAsync(3, "key");

        await redis.KillAsync();
        await Task.Delay(TimeSpan.FromSeconds(0.5)); // COHERENCE_BOUND

        var refused = await node.Client.GetAsync("key");
        output.WriteLine($"{refused}");
        Assert.Equal(503, refused.Status);
    }

    [SkippableFact]
    public async Task ByExpiryRedisIsNotAskedToTrack()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await AllInOne.StartAsync(redis.Port, ("COHERENCE", "expiry"));
        await node.Process.ReadyAsync(_patience);
        await redis.CommandAsync("SET", "key", "old");
        await node.Client.GetAsync("key");
        await redis.CommandAsync("SET", "key", "new");

        Assert.Equal(("HIT", "old"), ((await node.Client.GetAsync("key")) is var hit ? (hit.Cache, hit.Body) : default));
        Assert.DoesNotContain("rporleans-invalidations", await redis.CommandAsync("CLIENT", "LIST"));
    }

    [SkippableFact]
    public async Task AbsenceIsRememberedWithoutTrackingOnlyForAsLongAsIsSet()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await AllInOne.StartAsync(redis.Port, ("COHERENCE", "expiry"), ("ABSENT_EXPIRY", "0.5"));
        await node.Process.ReadyAsync(_patience);
        await node.Client.GetAsync("nobody");
        Assert.Equal("NEGATIVE", (await node.Client.GetAsync("nobody")).Cache);
        await redis.CommandAsync("SET", "nobody", "somebody");

        await Eventually.TrueAsync(
            async () => (await node.Client.GetAsync("nobody")).Body == "somebody", TimeSpan.FromSeconds(1), "the key is found");
    }

    private static async Task<RedisServer> RedisThatMayNotTrackAsync()
    {
        var redis = await RedisServer.StartAsync();
        Assert.Equal("+OK", await redis.CommandAsync("ACL", "SETUSER", "reader", "on", ">secret", "~*", "&*", "+@all", "-client|tracking"));
        return redis;
    }
}
