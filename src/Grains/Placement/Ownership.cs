using System.Collections.Immutable;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Lru;

namespace RpOrleans.Grains.Placement;

/// <summary>Which keys belong to this node, in its own view of the cluster.</summary>
internal sealed class Ownership(ILocalSiloDetails silo, IClusterMembershipService membership, Leases leases)
{
    private readonly ulong _self = RendezvousHash.HashNode(NodeName(silo.SiloAddress));
    private readonly HashSet<SiloAddress> _admitted = [];
    private ClusterMembershipSnapshot? _seen;
    private ulong[] _nodes = [];
    private long _version;
    private volatile bool _joined;
    private volatile bool _draining;

    /// <summary>Whether the node is about to leave: then it owns nothing, and keeps nothing.</summary>
    public bool Draining => _draining;

    /// <summary>Whether every other node knows of this one, and has let go of the keys that it takes over. Until then it owns nothing, unless it is alone.</summary>
    public bool Joined => _joined;

    /// <summary>Changes when another set of nodes shares the keys.</summary>
    public long Version
    {
        get
        {
            Refresh();
            return _draining ? -1 : _version;
        }
    }

    /// <summary>The version of the membership table that this node's view is of.</summary>
    public long View => membership.CurrentSnapshot.Version.Value;

    /// <summary>Whether this node is active in its own view: it then is in every later one too, until it leaves.</summary>
    public bool Active => IsActiveIn(membership.CurrentSnapshot);

    /// <summary>The other nodes of the view.</summary>
    public IEnumerable<SiloAddress> Others => ActiveIn(membership.CurrentSnapshot).Where(node => !node.Equals(silo.SiloAddress));

    /// <summary>Lets in every node of the view: from now on this one owns no key that falls to one of them.</summary>
    /// <returns>The view's version.</returns>
    public long Admit()
    {
        Refresh();
        _admitted.UnionWith(ActiveIn(_seen!));
        Share();
        return _seen!.Version.Value;
    }

    /// <summary>From now on the node owns what falls to it.</summary>
    public void Join() => _joined = true;

    /// <summary>From now on the node only stands in for others.</summary>
    public void Drain() => _draining = true;

    /// <summary>Takes a view that is at least as new.</summary>
    /// <param name="view">Its version.</param>
    /// <param name="cancellation">Gives up; the view is then the one that it was.</param>
    /// <exception cref="Exception">The membership table cannot be read.</exception>
    public async Task RefreshAsync(long view, CancellationToken cancellation) =>
        await membership.Refresh(new MembershipVersion(view), cancellation).AsTask().WaitAsync(cancellation);

    /// <summary>The name by which a node is hashed: without the generation, so that a node that restarts in its place keeps its keys.</summary>
    public static string NodeName(SiloAddress silo) => silo.Endpoint.ToString();

    /// <summary>Whether this node owns the key.</summary>
    public bool Owns(ReadOnlySpan<byte> key)
    {
        if (_draining)
        {
            return false;
        }

        Refresh();
        return Owns(key, _nodes, _joined);
    }

    /// <summary>Chooses the keys that this node does not own at this moment, also later, and on any thread.</summary>
    public KeyPredicate Moved()
    {
        if (_draining)
        {
            return _ => true;
        }

        Refresh();
        var (nodes, joined) = (_nodes, _joined);
        return key => !Owns(key, nodes, joined);
    }

    private bool IsActiveIn(ClusterMembershipSnapshot view) => view.GetSiloStatus(silo.SiloAddress) == SiloStatus.Active;

    private static IEnumerable<SiloAddress> ActiveIn(ClusterMembershipSnapshot view) =>
        view.Members.Values.Where(member => member.Status == SiloStatus.Active).Select(member => member.SiloAddress);

    private bool Owns(ReadOnlySpan<byte> key, ulong[] nodes, bool joined) =>
        nodes.Length == 1 || (joined && nodes[RendezvousHash.Owner(RendezvousHash.HashKey(key), nodes)] == _self);

    private void Refresh()
    {
        var current = membership.CurrentSnapshot;
        if (ReferenceEquals(current, _seen))
        {
            return;
        }

        if (_seen is { } before && before.Members.Values.Any(member => member.Status == SiloStatus.Active && current.GetSiloStatus(member.SiloAddress) is SiloStatus.Dead or SiloStatus.None))
        {
            leases.ExpectUnknown(); // it may have granted copies of keys that fall to this node
        }

        // A node that becomes active while this one is asks to be let in, and keeps nothing until it is (Joining): so its keys stay
        // where they are until the gateways have reached it. Who was active before this one was does not ask it.
        if (_seen is null || !IsActiveIn(_seen))
        {
            _admitted.UnionWith(ActiveIn(current));
        }

        _admitted.IntersectWith(ActiveIn(current));
        _seen = current;
        Share();
    }

    private void Share()
    {
        // This node counts itself in: it serves, whatever the table that it has read last says of it.
        ulong[] nodes = [.. _admitted.Select(member => RendezvousHash.HashNode(NodeName(member))).Append(_self).Distinct().Order()];
        if (!nodes.AsSpan().SequenceEqual(_nodes))
        {
            _nodes = nodes;
            _version++;
        }
    }
}
