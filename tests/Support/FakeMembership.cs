using System.Collections.Immutable;
using System.Net;
using System.Reflection;
using Orleans.Runtime;
using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Placement;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Tests.Support;

/// <summary>A cluster as one node sees it: a membership table that tests write, and other nodes that do as they are told.</summary>
internal sealed class FakeMembership : IClusterMembershipService, ILocalSiloDetails
{
    private readonly Dictionary<SiloAddress, ICacheGrain> _nodes = [];
    private ClusterMembershipSnapshot _table;

    public FakeMembership()
    {
        SiloAddress = Address(0);
        _table = CurrentSnapshot = new ClusterMembershipSnapshot([], new MembershipVersion(0));
        Ownership = new Ownership(this, this, new Leases(new CoherenceOptions(), new Session(TimeProvider.System), TimeProvider.System));
        Grains = DispatchProxy.Create<IGrainFactory, Factory>();
        ((Factory)(object)Grains).Nodes = _nodes;
    }

    /// <summary>This node.</summary>
    public SiloAddress SiloAddress { get; }

    public Ownership Ownership { get; }

    public IGrainFactory Grains { get; }

    public ClusterMembershipSnapshot CurrentSnapshot { get; private set; }

    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

    public string Name => "this";

    public string DnsHostName => "localhost";

    public string ClusterId => "fake";

    public SiloAddress GatewayAddress => SiloAddress;

    public static SiloAddress Address(int number) => SiloAddress.New(IPAddress.Parse("10.0.0.1"), 11_111 + number, 1);

    /// <summary>Adds what answers at another node's address.</summary>
    public FakeMembership With(int number, ICacheGrain node)
    {
        _nodes[Address(number)] = node;
        return this;
    }

    /// <summary>Writes the table: these nodes are active, this one (0) too if it is among them.</summary>
    /// <param name="version">The table's version.</param>
    /// <param name="seen">Whether this node has read it already.</param>
    /// <param name="active">The nodes.</param>
    public FakeMembership Table(long version, bool seen, params int[] active)
    {
        var members = active.Select(number => new ClusterMember(Address(number), SiloStatus.Active, $"node {number}"));
        _table = new ClusterMembershipSnapshot(members.ToImmutableDictionary(member => member.SiloAddress), new MembershipVersion(version));
        CurrentSnapshot = seen ? _table : CurrentSnapshot;
        return this;
    }

    public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default)
    {
        CurrentSnapshot = minimumVersion > CurrentSnapshot.Version ? _table : CurrentSnapshot;
        return ValueTask.CompletedTask;
    }

    public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();

    /// <summary>Finds a node's cache by its address.</summary>
    public class Factory : DispatchProxy
    {
        internal IReadOnlyDictionary<SiloAddress, ICacheGrain>? Nodes { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            args is [string address, ..] ? Nodes![SiloAddress.FromParsableString(address)] : throw new NotSupportedException($"{targetMethod}");
    }
}
