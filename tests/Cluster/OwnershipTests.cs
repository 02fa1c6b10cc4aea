using RpOrleans.Grains;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Cluster;

public sealed class OwnershipTests
{
    private static readonly string[] _keys = [.. Enumerable.Range(0, 1_000).Select(i => $"user:{i}")];

    [Fact]
    public async Task EachKeyIsLoadedOnceInTheWholeCluster()
    {
        await using var cluster = await FilledAsync(nodes: 3);

        foreach (var key in _keys)
        {
            var again = await cluster.ReadAsync(key);
            Assert.Equal(LookupSource.Cache, again.Source);
            Assert.Equal(TestCluster.Bytes($"value of {key}"), again.Value.ToArray());
        }

        Assert.All(_keys, key => Assert.Equal(1, cluster.Origin.LoadsOf(key)));
    }

    [Fact]
    public async Task EachKeyIsHeldByItsOwnerAlone()
    {
        await using var cluster = await FilledAsync(nodes: 3);

        foreach (var key in _keys.Take(100))
        {
            foreach (var silo in cluster.Silos)
            {
                var held = await cluster.Node(silo).PeekAsync(KeyBatch.Of(TestCluster.Bytes(key)));
                var expected = silo.Equals(cluster.OwnerAddressOf(key)) ? LookupStatus.Found : LookupStatus.Miss;
                Assert.Equal(expected, held.ToList()[0].Status);
            }
        }
    }

    [Fact]
    public async Task TheGrainOfANodeRunsOnThatNode()
    {
        await using var cluster = await TestCluster.StartAsync(3);

        foreach (var silo in cluster.Silos)
        {
            var stats = await cluster.Node(silo).StatsAsync();
            Assert.Equal(silo.Endpoint.ToString(), stats.Node);
        }
    }

    [Fact]
    public async Task WhenANodeLeavesOnlyItsKeysAreLoadedAgain()
    {
        await using var cluster = await FilledAsync(nodes: 3);
        var leaving = cluster.Silos[1];
        var moving = _keys.Where(key => cluster.OwnerAddressOf(key).Equals(leaving)).ToHashSet();

        await cluster.LeaveAsync(leaving);
        await ReadAllAsync(cluster);

        Assert.InRange(moving.Count, 1, _keys.Length / 2);
        Assert.All(_keys, key => Assert.Equal(moving.Contains(key) ? 2 : 1, cluster.Origin.LoadsOf(key)));
    }

    [Fact]
    public async Task WhenANodeJoinsOnlyTheKeysThatItWinsAreLoadedAgain()
    {
        await using var cluster = await FilledAsync(nodes: 3);
        var before = cluster.Silos.ToHashSet();

        await cluster.JoinAsync();
        var joined = cluster.Silos.Single(silo => !before.Contains(silo));
        var moving = _keys.Where(key => cluster.OwnerAddressOf(key).Equals(joined)).ToHashSet();
        await ReadAllAsync(cluster);

        Assert.InRange(moving.Count, 1, _keys.Length * 0.30);
        Assert.All(_keys, key => Assert.Equal(moving.Contains(key) ? 2 : 1, cluster.Origin.LoadsOf(key)));
    }

    [Fact]
    public async Task AnOwnerThatLosesAKeyLetsGoOfItsCopy()
    {
        await using var cluster = await FilledAsync(nodes: 2);
        var before = cluster.Silos.ToHashSet();

        await cluster.JoinAsync();
        var joined = cluster.Silos.Single(silo => !before.Contains(silo));
        var moved = _keys.Where(key => cluster.OwnerAddressOf(key).Equals(joined)).Select(TestCluster.Bytes).ToArray();

        foreach (var silo in before)
        {
            var held = await cluster.Node(silo).PeekAsync(KeyBatch.Of(moved));
            Assert.All(held.ToList(), lookup => Assert.Equal(LookupStatus.Miss, lookup.Status));
        }
    }

    [Fact]
    public async Task ANodeThatDoesNotOwnAKeyReadsItAndKeepsNothing()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        cluster.Origin["user:7"] = "Ada";
        var other = cluster.Silos.First(silo => !silo.Equals(cluster.OwnerAddressOf("user:7")));

        for (var read = 1; read <= 3; read++)
        {
            var lookup = await cluster.Node(other).ReadAsync(new ReadRequest(TestCluster.Bytes("user:7"), ReadMode.Normal));
            Assert.Equal(LookupStatus.Found, lookup.Status);
            Assert.False(lookup.Stored);
            Assert.Equal(read, cluster.Origin.Loads);
        }
    }

    [Fact]
    public async Task AWriteThroughANodeThatDoesNotOwnTheKeyLeavesNoCopyOfBefore()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var key = TestCluster.Bytes("user:7");
        cluster.Origin["user:7"] = "older";
        await cluster.ReadAsync("user:7");
        var owner = cluster.OwnerAddressOf("user:7");

        var written = await cluster.Node(cluster.Silos.First(silo => !silo.Equals(owner)))
            .WriteAsync(new WriteRequest { Key = key, Value = TestCluster.Bytes("newer"), DeadlineMilliseconds = long.MaxValue / 1_000_000_000 });

        Assert.Equal((WriteStatus.Done, false), (written.Status, written.Stored));
        Assert.Equal(LookupStatus.Miss, (await cluster.Node(owner).PeekAsync(KeyBatch.Of(key))).ToList()[0].Status);
        Assert.Equal(TestCluster.Bytes("newer"), (await cluster.ReadAsync("user:7")).Value.ToArray());
    }

    [Fact]
    public async Task AWriteThatIsUnderWayWhileItsKeyMovesLeavesNoCopyOfBeforeAtTheNewOwner()
    {
        await using var cluster = await FilledAsync(nodes: 2);
        var before = cluster.Silos.ToHashSet();
        cluster.Origin.PauseWrites();
        var writes = _keys.Select(key => cluster.OwnerOf(key).WriteAsync(
            new WriteRequest { Key = TestCluster.Bytes(key), Value = TestCluster.Bytes("newer"), DeadlineMilliseconds = long.MaxValue / 1_000_000_000 }).AsTask()).ToList();
        await cluster.JoinAsync();
        var joined = cluster.Silos.Single(silo => !before.Contains(silo));
        await ReadAllAsync(cluster); // what has moved is held by the new owner, as it was before the writes
        var moved = KeyBatch.Of([.. _keys.Where(key => cluster.OwnerAddressOf(key).Equals(joined)).Select(TestCluster.Bytes)]);
        Assert.Contains((await cluster.Node(joined).PeekAsync(moved)).ToList(), lookup => lookup.Status == LookupStatus.Found);

        cluster.Origin.ResumeWrites();
        Assert.All(await Task.WhenAll(writes), written => Assert.Equal(WriteStatus.Done, written.Status));

        Assert.All((await cluster.Node(joined).PeekAsync(moved)).ToList(), lookup => Assert.Equal(LookupStatus.Miss, lookup.Status));
    }

    [Fact]
    public async Task ALoadFromBeforeAWriteThroughAnotherNodeIsNotKept()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        var key = TestCluster.Bytes("user:7");
        var owner = cluster.OwnerAddressOf("user:7");
        cluster.Origin["user:7"] = "older";
        cluster.Origin.Pause();
        var late = cluster.ReadAsync("user:7");
        await Eventually.TrueAsync(() => Task.FromResult(cluster.Origin.Loads == 1), TimeSpan.FromSeconds(10), "the load is under way");

        await cluster.Node(cluster.Silos.Single(silo => !silo.Equals(owner)))
            .WriteAsync(new WriteRequest { Key = key, Value = TestCluster.Bytes("newer"), DeadlineMilliseconds = long.MaxValue / 1_000_000_000 });
        cluster.Origin.Resume();
        await late;

        Assert.Equal(LookupStatus.Miss, (await cluster.Node(owner).PeekAsync(KeyBatch.Of(key))).ToList()[0].Status);
    }

    [Fact]
    public async Task ACallForANodeThatHasLeftFailsAndIsNotPlacedElsewhere()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        var left = cluster.Silos[1];
        var grain = cluster.Node(left);
        await cluster.LeaveAsync(left);

        await Assert.ThrowsAnyAsync<Exception>(() => grain.PingAsync().AsTask());
    }

    private static async Task<TestCluster> FilledAsync(int nodes)
    {
        var cluster = await TestCluster.StartAsync(nodes);
        foreach (var key in _keys)
        {
            cluster.Origin[key] = $"value of {key}";
        }

        await ReadAllAsync(cluster);
        return cluster;
    }

    private static Task ReadAllAsync(TestCluster cluster) => Task.WhenAll(_keys.Select(key => cluster.ReadAsync(key)));
}
