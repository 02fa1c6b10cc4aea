using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Orleans.Runtime;
using Orleans.TestingHost;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;
using RpOrleans.Grains.Hosting;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Placement;
using RpOrleans.Grains.Settings;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Cluster;

/// <summary>Nodes in this process, a gateway's router in front of them, and one fake origin behind them all.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly InProcessTestCluster _cluster;
    private readonly Nodes _nodes = new();
    private readonly FakeTimeProvider _time = new(); // stands still: no deadline passes, however busy the machine is
    private readonly TimeInHand? _clock;
    private readonly Dictionary<SiloAddress, NodeLink> _links = [];

    private TestCluster(InProcessTestCluster cluster, FakeOrigin origin, TimeInHand? clock)
    {
        (_cluster, Origin, _clock) = (cluster, origin, clock);
        Router = new Router(_nodes, new CoherenceOptions(), _time);
    }

    public FakeOrigin Origin { get; }

    public Router Router { get; }

    public IReadOnlyList<SiloAddress> Silos => [.. _cluster.Silos.Where(silo => silo.IsActive).Select(silo => silo.SiloAddress)];

    /// <summary>Starts one.</summary>
    /// <param name="silos">How many nodes.</param>
    /// <param name="options">How much they keep, and for how long.</param>
    /// <param name="clock">The clock by which entries age; the system's by default.</param>
    public static async Task<TestCluster> StartAsync(int silos, CacheOptions? options = null, TimeInHand? clock = null)
    {
        var origin = new FakeOrigin();
        var builder = new InProcessTestClusterBuilder((short)silos);
        builder.ConfigureSilo((_, silo) =>
        {
            if (clock is not null)
            {
                silo.Services.AddSingleton<TimeProvider>(clock);
            }

            silo.AddCacheNode(options ?? new CacheOptions(), new CoherenceOptions());
            silo.Services.AddSingleton<IOrigin>(origin);
        });
        var cluster = builder.Build();
        var test = new TestCluster(cluster, origin, clock);
        await test.PassingTimeAsync(cluster.DeployAsync());
        await test.PassingTimeAsync(test.AgreeAsync());
        return test;
    }

    public ICacheGrain Node(SiloAddress silo) => _cluster.Client.GetGrain<ICacheGrain>(silo.ToParsableString());

    public ICacheGrain OwnerOf(string key) => Node(OwnerAddressOf(key));

    public SiloAddress OwnerAddressOf(string key) =>
        Silos.MaxBy(silo => RendezvousHash.Score(RendezvousHash.HashKey(Bytes(key)), RendezvousHash.HashNode(Ownership.NodeName(silo))))!;

    public Task<Lookup> ReadAsync(string key, ReadMode mode = ReadMode.Normal) => ReadAsync(key, new ReadTerms(mode));

    public async Task<Lookup> ReadAsync(string key, ReadTerms terms)
    {
        var (lookup, fault) = await Router.ReadAsync(Bytes(key), terms);
        Assert.Equal(RouteFault.None, fault);
        return lookup;
    }

    public async Task JoinAsync()
    {
        await _cluster.StartAdditionalSiloAsync();
        await AgreeAsync();
    }

    public async Task LeaveAsync(SiloAddress silo)
    {
        await _cluster.StopSiloAsync(_cluster.Silos.Single(one => one.SiloAddress.Equals(silo)));
        await AgreeAsync();
    }

    public static byte[] Bytes(string key) => Encoding.UTF8.GetBytes(key);

    public async ValueTask DisposeAsync() => await PassingTimeAsync(_cluster.DisposeAsync().AsTask());

    /// <summary>What starts and stops waits for the clock now and then.</summary>
    private async Task PassingTimeAsync(Task task)
    {
        while (_clock is not null && !task.IsCompleted)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(10));
            await Task.WhenAny(task, Task.Delay(5));
        }

        await task;
    }

    /// <summary>Waits until every node sees the same nodes, and takes that view to the router.</summary>
    private async Task AgreeAsync()
    {
        await _cluster.WaitForLivenessToStabilizeAsync();
        var silos = Silos;
        foreach (var silo in silos)
        {
            var membership = _cluster.GetSiloServiceProvider(silo).GetRequiredService<IClusterMembershipService>();
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            while (!Active(membership.CurrentSnapshot).SetEquals(silos))
            {
                await membership.Refresh();
                patience.Token.ThrowIfCancellationRequested();
                await Task.Yield();
            }

            if (!_links.ContainsKey(silo))
            {
                var name = Ownership.NodeName(silo);
                _links[silo] = new NodeLink(name, RendezvousHash.HashNode(name), _time);
                _links[silo].Heard(Node(silo), await FirstAnswerAsync(silo, patience.Token), _time.GetTimestamp());
            }
        }

        _nodes.Update(new NodeRing(silos.Select(silo => _links[silo])), []);
    }

    /// <summary>A gateway calls each node directly; this client goes through any of them, which may not have heard of a joiner yet.</summary>
    private async Task<NodeState> FirstAnswerAsync(SiloAddress silo, CancellationToken patience)
    {
        while (true)
        {
            try
            {
                if (await Node(silo).PingAsync() is { Joined: true } state)
                {
                    return state;
                }

                await Task.Yield();
            }
            catch (InvalidOperationException) when (!patience.IsCancellationRequested)
            {
                await Task.Yield();
            }
        }
    }

    private static HashSet<SiloAddress> Active(ClusterMembershipSnapshot snapshot) =>
        [.. snapshot.Members.Values.Where(member => member.Status == SiloStatus.Active).Select(member => member.SiloAddress)];
}
