using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Tests.Cluster;

public sealed class CacheGrainTests : IAsyncLifetime
{
    private TestCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await TestCluster.StartAsync(1, new CacheOptions { TimeToLive = TimeSpan.FromMinutes(5) });

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task AThousandConcurrentMissesOfOneKeyCauseOneLoad()
    {
        _cluster.Origin["user:7"] = "Ada";

        _cluster.Origin.Pause(); // the first load stays in flight while the others arrive
        var reads = Enumerable.Range(0, 1_000).Select(_ => AskNodeAsync("user:7")).ToArray();
        await MissesAsync(1_000);
        _cluster.Origin.Resume();
        var lookups = await Task.WhenAll(reads);

        Assert.Equal(1, _cluster.Origin.Loads);
        Assert.Single(lookups, lookup => lookup.Source == LookupSource.Origin);
        Assert.Equal(999, lookups.Count(lookup => lookup.Source == LookupSource.Collapsed));
        Assert.All(lookups, lookup => Assert.Equal(TestCluster.Bytes("Ada"), lookup.Value.ToArray()));
    }

    [Theory]
    [InlineData(ReadMode.Normal, 1, 16_384)]
    [InlineData(ReadMode.Refresh, 2, 16_385)] // one in flight, and one that waits to start
    public async Task SoManyReadersWaitForALoadAndTheNextIsRefused(ReadMode mode, int loads, int others)
    {
        _cluster.Origin["user:7"] = "Ada";

        _cluster.Origin.Pause();
        var request = new ReadRequest(TestCluster.Bytes("user:7"), mode);
        var reads = Enumerable.Range(0, 1 + others + 1).Select(_ => _cluster.OwnerOf("user:7").ReadAsync(request).AsTask()).ToArray();
        await MissesAsync(reads.Length);
        _cluster.Origin.Resume();
        var lookups = await Task.WhenAll(reads);

        Assert.Equal(loads, _cluster.Origin.Loads);
        Assert.Equal(OriginFault.Shed, Assert.Single(lookups, lookup => lookup.Status == LookupStatus.Failed).Fault);
        Assert.Equal(1 + others, lookups.Count(lookup => lookup.Status == LookupStatus.Found));
        Assert.Equal(1, (await _cluster.OwnerOf("user:7").StatsAsync()).ShedWaiters);
    }

    [Fact]
    public async Task WhenTheOneLoadFailsAllWhoWaitGetItsOutcome()
    {
        _cluster.Origin.Failing = OriginFault.TimedOut;

        _cluster.Origin.Pause();
        var reads = Enumerable.Range(0, 100).Select(_ => AskNodeAsync("user:7")).ToArray();
        await MissesAsync(100);
        _cluster.Origin.Resume();
        var lookups = await Task.WhenAll(reads);

        Assert.Equal(1, _cluster.Origin.Loads);
        Assert.All(lookups, lookup => Assert.Equal((LookupStatus.Failed, OriginFault.TimedOut), (lookup.Status, lookup.Fault)));
    }

    [Fact]
    public async Task AFailureIsNotRemembered()
    {
        _cluster.Origin["user:7"] = "Ada";
        _cluster.Origin.Failing = OriginFault.Unreachable;
        Assert.Equal(LookupStatus.Failed, (await _cluster.ReadAsync("user:7")).Status);

        _cluster.Origin.Failing = null;

        Assert.Equal(LookupStatus.Found, (await _cluster.ReadAsync("user:7")).Status);
    }

    [Fact]
    public async Task WhatRedisIsNotAskedForIsRefusedByALookUpInMemory()
    {
        _cluster.Origin["held"] = "yes";
        await _cluster.ReadAsync("held");
        (_cluster.Origin.Failing, _cluster.Origin.Refuses) = (OriginFault.Unreachable, true);

        var answers = (await _cluster.OwnerOf("held").PeekAsync(KeyBatch.Of(TestCluster.Bytes("held"), TestCluster.Bytes("other")))).ToList();

        Assert.Equal([(LookupStatus.Found, OriginFault.None), (LookupStatus.Failed, OriginFault.BreakerOpen)], answers.Select(answer => (answer.Status, answer.Fault)));
        Assert.Equal(1, (await _cluster.OwnerOf("held").StatsAsync()).LoadFailures);
        Assert.Equal(1, _cluster.Origin.Loads);
    }

    [Fact]
    public async Task AnAbsentKeyIsAskedForEachTimeAndFoundAsSoonAsItIsThere()
    {
        Assert.Equal(LookupStatus.Absent, (await _cluster.ReadAsync("user:9")).Status);
        Assert.Equal(LookupStatus.Absent, (await _cluster.ReadAsync("user:9")).Status);
        Assert.Equal(2, _cluster.Origin.Loads);

        _cluster.Origin["user:9"] = "Grace";

        Assert.Equal(TestCluster.Bytes("Grace"), (await _cluster.ReadAsync("user:9")).Value.ToArray());
    }

    [Fact]
    public async Task AHitDoesNotWaitForASlowLoadOfAnotherKey()
    {
        _cluster.Origin["held"] = "yes";
        await _cluster.ReadAsync("held");

        _cluster.Origin.Pause();
        var slow = _cluster.ReadAsync("slow");
        var hit = await _cluster.ReadAsync("held").WaitAsync(TimeSpan.FromSeconds(10));

        Assert.Equal(LookupSource.Cache, hit.Source);
        Assert.False(slow.IsCompleted);
        _cluster.Origin.Resume();
        await slow;
    }

    [Fact]
    public async Task AnAcknowledgedWriteIsReadFromMemory()
    {
        var written = await _cluster.Router.WriteAsync(new WriteRequest { Key = TestCluster.Bytes("user:7"), Value = TestCluster.Bytes("Ada") });

        Assert.Equal((WriteStatus.Done, true), (written.Answer.Status, written.Answer.Stored));
        var read = await _cluster.ReadAsync("user:7");
        Assert.Equal((LookupSource.Cache, 0), (read.Source, _cluster.Origin.Loads));
        Assert.Equal(TestCluster.Bytes("Ada"), read.Value.ToArray());
    }

    [Fact]
    public async Task ALateLoadDoesNotUndoANewerWrite()
    {
        _cluster.Origin["user:7"] = "older";
        _cluster.Origin.Pause();
        var late = _cluster.ReadAsync("user:7"); // has read "older", and is not answered yet
        await MissesAsync(1);

        await _cluster.Router.WriteAsync(new WriteRequest { Key = TestCluster.Bytes("user:7"), Value = TestCluster.Bytes("newer") });
        _cluster.Origin.Resume();

        Assert.Equal(TestCluster.Bytes("older"), (await late).Value.ToArray()); // it was asked for before the write
        Assert.Equal(TestCluster.Bytes("newer"), (await _cluster.ReadAsync("user:7")).Value.ToArray());
    }

    [Fact]
    public async Task AReaderThatComesAfterAWriteDoesNotJoinALoadFromBeforeIt()
    {
        _cluster.Origin["user:7"] = "older";
        _cluster.Origin.Pause();
        var late = _cluster.ReadAsync("user:7");
        await MissesAsync(1);
        await _cluster.Router.WriteAsync(new WriteRequest { Key = TestCluster.Bytes("user:7") });

        var after = _cluster.ReadAsync("user:7");
        await MissesAsync(2);
        _cluster.Origin.Resume();

        Assert.Equal(LookupStatus.Absent, (await after).Status);
        await late;
    }

    [Fact]
    public async Task AWriteThatRedisDidNotAcknowledgeLeavesNoCopy()
    {
        _cluster.Origin["user:7"] = "older";
        await _cluster.ReadAsync("user:7");
        _cluster.Origin.Failing = OriginFault.TimedOut;
        var written = await _cluster.Router.WriteAsync(new WriteRequest { Key = TestCluster.Bytes("user:7"), Value = TestCluster.Bytes("newer") });
        _cluster.Origin.Failing = null;

        Assert.Equal((WriteStatus.Failed, true), (written.Answer.Status, written.Answer.OutcomeUnknown));
        Assert.Equal(LookupSource.Origin, (await _cluster.ReadAsync("user:7")).Source);
    }

    [Fact]
    public async Task ARefreshReadsTheOriginAndKeepsTheAnswer()
    {
        _cluster.Origin["user:7"] = "older";
        await _cluster.ReadAsync("user:7");
        _cluster.Origin["user:7"] = "newer";

        Assert.Equal(TestCluster.Bytes("newer"), (await _cluster.ReadAsync("user:7", ReadMode.Refresh)).Value.ToArray());
        var held = await _cluster.ReadAsync("user:7");
        Assert.Equal((LookupSource.Cache, 2), (held.Source, _cluster.Origin.Loads));
        Assert.Equal(TestCluster.Bytes("newer"), held.Value.ToArray());
    }

    [Fact]
    public async Task ABypassingReadKeepsNothingAndDropsAnOlderCopy()
    {
        _cluster.Origin["user:7"] = "older";
        await _cluster.ReadAsync("user:7");
        _cluster.Origin["user:7"] = "newer";

        Assert.Equal(TestCluster.Bytes("newer"), (await _cluster.ReadAsync("user:7", ReadMode.Bypass)).Value.ToArray());
        var next = await _cluster.ReadAsync("user:7");
        Assert.Equal(LookupSource.Origin, next.Source); // not the older copy: reads do not go backwards
    }

    [Fact]
    public async Task AHerdOfRefreshesCostsTwoLoads()
    {
        _cluster.Origin["user:7"] = "Ada";
        _cluster.Origin.Pause();
        var reads = Enumerable.Range(0, 100).Select(_ => _cluster.ReadAsync("user:7", ReadMode.Refresh)).ToArray();
        await MissesAsync(100);
        _cluster.Origin.Resume();
        await Task.WhenAll(reads);

        Assert.Equal(2, _cluster.Origin.Loads);
    }

    [Fact]
    public async Task NothingIsWrittenAfterItsDeadline()
    {
        var node = _cluster.OwnerOf("user:7");
        var state = await node.PingAsync();

        await node.WriteAsync(new WriteRequest
        {
            Key = TestCluster.Bytes("user:7"), Value = TestCluster.Bytes("Ada"), DeadlineMilliseconds = state.ClockMilliseconds + 60_000,
        });

        Assert.True(_cluster.Origin.LastWriteDeadline > TimeProvider.System.GetTimestamp());
        await node.WriteAsync(new WriteRequest
        {
            Key = TestCluster.Bytes("user:7"), Value = TestCluster.Bytes("Eve"), DeadlineMilliseconds = state.ClockMilliseconds - 1,
        });
        Assert.True(_cluster.Origin.LastWriteDeadline < TimeProvider.System.GetTimestamp());
    }

    /// <summary>Asks the node itself: a gateway makes one call of reads that come together.</summary>
    private Task<Lookup> AskNodeAsync(string key) => _cluster.OwnerOf(key).ReadAsync(new ReadRequest(TestCluster.Bytes(key), ReadMode.Normal)).AsTask();

    /// <summary>Waits until so many reads have reached the node and found nothing.</summary>
    private async Task MissesAsync(long count)
    {
        var deadline = DateTime.UtcNow.AddSeconds(10);
        while ((await _cluster.OwnerOf("user:7").StatsAsync()).Misses < count)
        {
            Assert.True(DateTime.UtcNow < deadline, "The reads did not arrive.");
            await Task.Yield();
        }
    }
}
