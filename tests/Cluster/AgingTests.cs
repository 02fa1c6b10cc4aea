using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Settings;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Cluster;

/// <summary>What becomes of entries that grow old; the clock is held in the hand.</summary>
public sealed class AgingTests
{
    private static readonly TimeSpan _life = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    private readonly TimeInHand _time = new();

    [Fact]
    public async Task WhatHasExpiredIsServedWhenTheOriginFailsAndOnlyThen()
    {
        await using var cluster = await StartAsync(staleIfError: _life);
        cluster.Origin["user:7"] = "old";
        await cluster.ReadAsync("user:7");
        _time.Advance(_life + _second);

        cluster.Origin.Failing = OriginFault.Unreachable;
        var stale = await cluster.ReadAsync("user:7");
        Assert.Equal((LookupStatus.Found, LookupSource.Cache, Freshness.Expired, true), (stale.Status, stale.Source, stale.Freshness, stale.Stale));
        Assert.Equal((61_000, -1_000), (stale.AgeMilliseconds, stale.FreshMilliseconds));
        Assert.Equal(TestCluster.Bytes("old"), stale.Value.ToArray());
        Assert.Equal(LookupStatus.Failed, (await cluster.ReadAsync("user:7", ReadMode.Refresh)).Status);
        Assert.Equal(1, (await cluster.OwnerOf("user:7").StatsAsync()).StaleIfErrorAnswers);

        cluster.Origin.Failing = null;
        cluster.Origin["user:7"] = "new";
        Assert.Equal(TestCluster.Bytes("new"), (await cluster.ReadAsync("user:7")).Value.ToArray());
    }

    [Fact]
    public async Task AReaderWhoJoinsALoadIsNotGivenWhatHasExpiredMeanwhile()
    {
        await using var cluster = await StartAsync();
        cluster.Origin["user:7"] = "old";
        cluster.Origin.TimeToLive = _second;
        cluster.Origin.Pause();
        var first = cluster.ReadAsync("user:7");
        await Eventually.TrueAsync(() => Task.FromResult(cluster.Origin.Loads == 1), TimeSpan.FromSeconds(10), "the load is under way");
        _time.Advance(_second);
        cluster.Origin.Remove("user:7"); // as Redis does then
        var joining = cluster.ReadAsync("user:7");
        await Eventually.TrueAsync(async () => (await cluster.OwnerOf("user:7").StatsAsync()).Collapsed == 1, TimeSpan.FromSeconds(10), "the other reader has joined");

        cluster.Origin.Resume();

        Assert.Equal(LookupStatus.Found, (await first).Status); // asked before it expired
        Assert.Equal(LookupStatus.Absent, (await joining).Status);
    }

    [Fact]
    public async Task WhatHasExpiredIsNotServedForLongerThanIsSetNorAfterAWriteNorWhereNothingIsSet()
    {
        await using var cluster = await StartAsync(staleIfError: _life);
        await using var strict = await StartAsync(staleIfError: TimeSpan.Zero);
        foreach (var key in new[] { "user:7", "written" })
        {
            cluster.Origin[key] = strict.Origin[key] = "old";
            await cluster.ReadAsync(key);
            await strict.ReadAsync(key);
        }

        _time.Advance(_life);
        cluster.Origin.Failing = strict.Origin.Failing = OriginFault.TimedOut;
        await cluster.Router.WriteAsync(new WriteRequest { Key = TestCluster.Bytes("written"), Value = TestCluster.Bytes("new") });

        Assert.Equal(LookupStatus.Failed, (await strict.ReadAsync("user:7")).Status);
        Assert.Equal(LookupStatus.Failed, (await cluster.ReadAsync("written")).Status);
        Assert.Equal(LookupStatus.Found, (await cluster.ReadAsync("user:7")).Status);
        _time.Advance(_life);
        Assert.Equal(LookupStatus.Failed, (await cluster.ReadAsync("user:7")).Status);
    }

    [Fact]
    public async Task AReadersTermsReachTheNode()
    {
        await using var cluster = await StartAsync(staleIfError: _life);
        cluster.Origin["user:7"] = "old";
        await cluster.ReadAsync("user:7");
        _time.Advance(_life + (5 * _second));
        cluster.Origin.Failing = OriginFault.Unreachable;

        foreach (var (copies, status) in new[]
                 {
                     (new CopyTerms(MaximumStale: 5 * _second), LookupStatus.Found),
                     (new CopyTerms(MaximumStale: 4 * _second), LookupStatus.Failed),
                     (new CopyTerms(MaximumStale: TimeSpan.Zero), LookupStatus.Failed),
                     (new CopyTerms(MaximumAge: 65 * _second), LookupStatus.Found),
                     (new CopyTerms(MaximumAge: 64 * _second), LookupStatus.Failed),
                     (new CopyTerms(MinimumFresh: _second), LookupStatus.Failed),
                 })
        {
            Assert.Equal((copies, status), (copies, (await cluster.ReadAsync("user:7", new ReadTerms(ReadMode.Normal, copies))).Status));
        }
    }

    [Fact]
    public async Task OnlyWhatIsHeldIsServedStaleIfTheReaderTakesThatAndTheOriginIsNotAsked()
    {
        await using var cluster = await StartAsync(staleIfError: _life);
        cluster.Origin["user:7"] = "old";
        await cluster.ReadAsync("user:7");
        _time.Advance(_life + (5 * _second));

        Assert.Equal(LookupStatus.Miss, (await cluster.ReadAsync("user:7", new ReadTerms(ReadMode.Normal, OnlyIfHeld: true))).Status);
        Assert.Equal(LookupStatus.Miss, (await HeldAsync("user:7", 4 * _second)).Status);
        Assert.Equal((LookupStatus.Found, true), (await HeldAsync("user:7", 5 * _second)) is var held ? (held.Status, held.Stale) : default);
        Assert.Equal(LookupStatus.Miss, (await HeldAsync("other", 5 * _second)).Status);
        Assert.Equal(1, cluster.Origin.Loads);

        Task<Lookup> HeldAsync(string key, TimeSpan stale) => cluster.ReadAsync(key, new ReadTerms(ReadMode.Normal, new CopyTerms(MaximumStale: stale), OnlyIfHeld: true));
    }

    [Fact]
    public async Task WhatExpiresSoonerThanTheReaderWantsIsReadAgain()
    {
        await using var cluster = await StartAsync();
        cluster.Origin["user:7"] = "old";
        await cluster.ReadAsync("user:7");
        _time.Advance(50 * _second);

        Assert.Equal(LookupSource.Cache, (await cluster.ReadAsync("user:7", new ReadTerms(ReadMode.Normal, new CopyTerms(MinimumFresh: 10 * _second)))).Source);
        Assert.Equal(LookupSource.Origin, (await cluster.ReadAsync("user:7", new ReadTerms(ReadMode.Normal, new CopyTerms(MinimumFresh: 11 * _second)))).Source);
    }

    [Fact]
    public async Task AnOftenAskedEntryIsReadAheadOnceAndNobodyWaits()
    {
        await using var cluster = await StartAsync();
        cluster.Origin["user:7"] = "old";
        await cluster.ReadAsync("user:7");
        _time.Advance(0.95 * _life);
        cluster.Origin["user:7"] = "new";

        cluster.Origin.Pause();
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(TestCluster.Bytes("old"), (await cluster.ReadAsync("user:7")).Value.ToArray());
        }

        await UntilAsync(() => cluster.Origin.Loads == 2);
        cluster.Origin.Resume();
        await UntilAsync(async () => (await cluster.ReadAsync("user:7")).Value.Span.SequenceEqual("new"u8));

        var stats = await cluster.OwnerOf("user:7").StatsAsync();
        Assert.Equal((1, 1, 2), (stats.RefreshesAhead, stats.Misses, cluster.Origin.Loads));
        _time.Advance(0.5 * _life); // beyond the life of the entry that it took the place of
        Assert.Equal(LookupSource.Cache, (await cluster.ReadAsync("user:7")).Source);
    }

    [Fact]
    public async Task AnEntryIsNotReadAheadWithoutReadersOrWhileTheOriginIsKnownToFail()
    {
        await using var cluster = await StartAsync();
        cluster.Origin["idle"] = cluster.Origin["failing"] = "old";
        await cluster.ReadAsync("idle");
        await cluster.ReadAsync("failing");
        for (var i = 0; i < 10; i++)
        {
            await cluster.ReadAsync("idle");
        }

        _time.Advance(0.95 * _life); // the node's timers run meanwhile
        cluster.Origin.Failing = OriginFault.TimedOut;
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(LookupSource.Cache, (await cluster.ReadAsync("failing")).Source);
        }

        var stats = await cluster.OwnerOf("failing").StatsAsync(); // a turn after those that it would have begun in
        Assert.Equal((0, 2), (stats.RefreshesAhead, cluster.Origin.Loads));
    }

    [Fact]
    public async Task ARefreshThatFailsLeavesTheEntryUntilItExpires()
    {
        await using var cluster = await StartAsync();
        cluster.Origin["user:7"] = "old";
        await cluster.ReadAsync("user:7");
        _time.Advance(0.95 * _life);
        cluster.Origin.FailingUnnoticed = OriginFault.TimedOut;
        for (var i = 0; i < 3; i++)
        {
            await cluster.ReadAsync("user:7");
        }

        await UntilAsync(async () => (await cluster.OwnerOf("user:7").StatsAsync()).LoadFailures == 1);

        Assert.Equal(LookupSource.Cache, (await cluster.ReadAsync("user:7")).Source);
        _time.Advance(0.05 * _life);
        Assert.Equal(LookupStatus.Failed, (await cluster.ReadAsync("user:7")).Status);
    }

    [Fact]
    public async Task WhatIsLoadedTogetherDoesNotExpireTogetherAndNeverLate()
    {
        await using var cluster = await StartAsync(jitter: 0.5);
        var keys = Enumerable.Range(0, 200).Select(i => $"user:{i}").ToList();
        foreach (var key in keys)
        {
            cluster.Origin[key] = "v";
            await cluster.ReadAsync(key);
        }

        _time.Advance(0.5 * _life);
        Assert.Equal(200, await HeldAsync());
        _time.Advance(0.25 * _life);
        Assert.InRange(await HeldAsync(), 50, 150);
        _time.Advance(0.25 * _life);
        Assert.Equal(0, await HeldAsync());

        async Task<int> HeldAsync() => (await cluster.OwnerOf("any").PeekAsync(KeyBatch.Of([.. keys.Select(TestCluster.Bytes)]))).ToList().Count(item => item.Status == LookupStatus.Found);
    }

    private Task<TestCluster> StartAsync(TimeSpan staleIfError = default, double jitter = 0) =>
        TestCluster.StartAsync(1, new CacheOptions { TimeToLive = _life, StaleIfError = staleIfError, ExpiryJitter = jitter }, _time);

    private static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var deadline = DateTime.UtcNow.AddSeconds(10);
        while (!await condition())
        {
            Assert.True(DateTime.UtcNow < deadline, "It did not happen.");
            await Task.Yield();
        }
    }
}
