using System.Diagnostics;
using System.Globalization;
using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Coherence;

/// <summary>A real Redis, changed behind the cache's back in every way there is, seen over HTTP.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class TrackingTests(SharedNode shared, ITestOutputHelper output) : IClassFixture<SharedNode>, IAsyncLifetime
{
    /// <summary>What is promised while the link is healthy.</summary>
    private static readonly TimeSpan _soon = TimeSpan.FromMilliseconds(250);

    private RedisServer _redis = null!;
    private AllInOne _node = null!;

    public async Task InitializeAsync() => (_redis, _node) = await shared.ReadyAsync();

    public Task DisposeAsync()
    {
        output.WriteLine(_node.Process.TakeReport());
        return Task.CompletedTask;
    }

    [SkippableTheory]
    [InlineData("new", "SET", "key", "new")]
    [InlineData("newer", "APPEND", "key", "er")]
    [InlineData("nld", "SETRANGE", "key", "0", "n")]
    [InlineData(null, "DEL", "key")]
    [InlineData(null, "UNLINK", "key")]
    [InlineData(null, "PEXPIRE", "key", "1")]
    [InlineData(null, "RENAME", "key", "elsewhere")]
    [InlineData("other", "RENAME", "other", "key")]
    [InlineData("scripted", "EVAL", "return redis.call('SET', KEYS[1], ARGV[1])", "1", "key", "scripted")]
    [InlineData("scripted", "EVAL", "return redis.call('SET', 'key', 'scripted')", "0")]
    [InlineData("other", "COPY", "other", "key", "REPLACE")]
    [InlineData(null, "FLUSHALL")]
    [InlineData(null, "FLUSHDB")]
    public async Task AChangeByAnyoneIsSeen(string? expected, params string[] change)
    {
        await _redis.CommandAsync("SET", "key", expected == "newer" ? "new" : "old");
        await _redis.CommandAsync("SET", "other", "other");
        await HeldAsync("key");

        await _redis.CommandAsync(change);

        await SeenAsync("key", expected, _soon);
    }

    [SkippableFact]
    public async Task NaturalExpiryIsSeen()
    {
        await _redis.CommandAsync("SET", "key", "old", "PX", "300");
        await HeldAsync("key");

        await SeenAsync("key", null, TimeSpan.FromMilliseconds(300) + _soon);
    }

    [SkippableFact]
    public async Task AbsenceIsRememberedAndEndsWhenTheKeyIsCreated()
    {
        Assert.Equal("MISS", (await _node.Client.GetAsync("nobody")).Cache);
        var remembered = await _node.Client.GetAsync("nobody");
        Assert.Equal((404, "NEGATIVE"), (remembered.Status, remembered.Cache));

        await _redis.CommandAsync("SET", "nobody", "somebody");

        await SeenAsync("nobody", "somebody", _soon);
    }

    [SkippableFact]
    public async Task KeysThatFallOutOfTheTrackingTableAreReadAgain()
    {
        await _redis.CommandAsync("CONFIG", "SET", "tracking-table-max-keys", "10");
        for (var i = 0; i < 200; i++)
        {
            await _redis.CommandAsync("SET", $"crowd:{i}", "old");
            await _node.Client.GetAsync($"crowd:{i}");
        }

        for (var i = 0; i < 200; i++)
        {
            await _redis.CommandAsync("SET", $"crowd:{i}", "new");
        }

        for (var i = 0; i < 200; i++)
        {
            await SeenAsync($"crowd:{i}", "new", _soon);
        }
    }

    [SkippableFact]
    public async Task KeysThatRedisEvictsWhileWeWriteAreReadAgain()
    {
        await _redis.CommandAsync("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
        for (var i = 0; i < 300; i++)
        {
            await _redis.CommandAsync("SET", $"heavy:{i}", new string('x', 10_000));
            await _node.Client.GetAsync($"heavy:{i}");
        }

        await _redis.CommandAsync("CONFIG", "SET", "maxmemory", "4mb");
        for (var i = 0; i < 50; i++)
        {
            await _node.Client.PutAsync($"ours:{i}", new string('y', 10_000));
        }

        await _redis.CommandAsync("CONFIG", "SET", "maxmemory", "0"); // else it might evict a key while it is asked for that very key
        await Task.Delay(_soon); // that is the promise
        var gone = 0;
        for (var i = 0; i < 300; i++)
        {
            var there = await _redis.CommandAsync("STRLEN", $"heavy:{i}") != ":0";
            gone += there ? 0 : 1;
            Assert.Equal(there ? 200 : 404, (await _node.Client.GetAsync($"heavy:{i}")).Status);
        }

        output.WriteLine($"{gone} of 300 evicted");
        Assert.InRange(gone, 1, 300);
    }

    [SkippableTheory]
    [InlineData("pubsub")]
    [InlineData("normal")]
    public async Task WhenEitherConnectionIsCutNothingFromBeforeCountsAsFresh(string type)
    {
        await _redis.CommandAsync("SET", "key", "old");
        await HeldAsync("key");

        await _redis.CommandAsync("CLIENT", "KILL", "TYPE", type);
        await _redis.CommandAsync("SET", "key", "new"); // perhaps before anybody listens again
        await SeenAsync("key", "new", TimeSpan.FromSeconds(0.5)); // COHERENCE_BOUND

        await HeldAsync("key");
        await _redis.CommandAsync("SET", "key", "newer");
        await SeenAsync("key", "newer", _soon);
    }

    [SkippableFact]
    public async Task HungRedisLeavesCopiesUnconfirmedAndTheFirstAnswerConfirmsThemAgain()
    {
        await _redis.CommandAsync("SET", "key", "old");
        await HeldAsync("key");
        var loads = await LoadsAsync();

        _redis.Pause();
        await Task.Delay(TimeSpan.FromSeconds(1.5)); // longer than the bound, and than it takes to call a connection dead
        var hung = await _node.Client.GetAsync("key");
        Assert.Equal((200, "old", "STALE"), (hung.Status, hung.Body, hung.Cache));
        Assert.Equal("rporleans; fwd=stale; detail=unconfirmed", hung.CacheStatus);
        var asked = await LoadsAsync() - loads;
        _redis.Resume();

        await Eventually.TrueAsync(async () => (await _node.Client.GetAsync("key")).Cache == "HIT", TimeSpan.FromSeconds(1), "the copy is confirmed again");
        Assert.InRange(await LoadsAsync() - loads - asked, 0, 1); // what was asked while it woke up
    }

    [SkippableFact]
    public async Task WhatIsWrittenThroughTheGatewayIsSeenAndKept()
    {
        Assert.Equal(204, (await _node.Client.PutAsync("key", "one")).Status);
        Assert.Equal("one", (await _node.Client.GetAsync("key")).Body);
        Assert.Equal(204, (await _node.Client.PutAsync("key", "two")).Status);
        Assert.Equal("two", (await _node.Client.GetAsync("key")).Body);

        await _redis.CommandAsync("SET", "key", "three");

        await SeenAsync("key", "three", _soon);
    }

    [SkippableFact]
    public async Task AnInvalidationThatOvertakesTheReplyLeavesNothingStale()
    {
        // Written and read as fast as it goes: a load whose reply comes after the invalidation that it concerns is common.
        for (var round = 0; round < 2_000; round++)
        {
            var value = round.ToString(CultureInfo.InvariantCulture);
            var reading = _node.Client.GetAsync("race");
            await _redis.CommandAsync("SET", "race", value);
            await reading;
            if (round % 50 == 0)
            {
                await SeenAsync("race", value, _soon);
            }
        }
    }

    private async Task HeldAsync(string key) => await Eventually.TrueAsync(
        async () => (await _node.Client.GetAsync(key)) is { Cache: "HIT" } hit && hit.CacheStatus!.EndsWith("detail=tracking", StringComparison.Ordinal),
        TimeSpan.FromSeconds(2),
        "the key is held and tracked");

    private async Task SeenAsync(string key, string? value, TimeSpan within)
    {
        var changed = Stopwatch.StartNew();
        while (true)
        {
            var asked = changed.Elapsed;
            var reply = await _node.Client.GetAsync(key);
            if (value is null ? reply.Status == 404 : reply.Body == value)
            {
                return;
            }

            Assert.True(asked < within, $"{asked.TotalMilliseconds:F0} ms after the change: {reply.Status} {reply.Body} ({reply.CacheStatus})");
        }
    }

    private async Task<long> LoadsAsync()
    {
        var (_, stats) = await _node.Process.AdminAsync("/stats");
        using var json = System.Text.Json.JsonDocument.Parse(stats);
        return json.RootElement.GetProperty("nodes")[0].GetProperty("loads").GetInt64();
    }
}
