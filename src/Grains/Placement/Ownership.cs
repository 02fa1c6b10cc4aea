using System.Collections.Immutable;

namespace RpOrleans.Grains.Placement;

/// <summary>Which keys belong to this node, in its own view of the cluster.</summary>
internal sealed class Ownership(ILocalSiloDetails silo, IClusterMembershipService membership)
{
    private readonly ulong _self = RendezvousHash.HashNode(NodeName(silo.SiloAddress));
    private ClusterMembershipSnapshot? _seen;
    private ulong[] _nodes = [];
    private long _version;
    private volatile bool _draining;

    /// <summary>Whether the node is about to leave: then it owns nothing, and keeps nothing.</summary>
    public bool Draining => _draining;

    /// <summary>Changes when another set of nodes shares the keys.</summary>
    public long Version
    {
        get
        {
            Refresh();
            return _draining ? -1 : _version;
        }
    }

    /// <summary>Whether there is no other node that could stand in for this one.</summary>
    public bool Alone
    {
        get
        {
            Refresh();
            return _nodes.Length == 1;
        }
    }

    /// <summary>From now on the node only stands in for others.</summary>
    public void Drain() => _draining = true;

    /// <summary>The name by which a node is hashed: without the generation, so that a node that restarts in its place keeps its keys.</summary>
    public static string NodeName(SiloAddress silo) => silo.Endpoint.ToString();

    /// <summary>Whether this node owns the key.</summary>
    public bool Owns(byte[] key)
    {
        if (_draining)
        {
            return false;
        }

        Refresh();
        return _nodes.Length == 1 || _nodes[RendezvousHash.Owner(RendezvousHash.HashKey(key), _nodes)] == _self;
    }

    private void Refresh()
    {
        var current = membership.CurrentSnapshot;
        if (ReferenceEquals(current, _seen))
        {
            return;
        }

        _seen = current;
        // This node counts itself in: it serves, whatever the table that it has read last says of it.
        ulong[] nodes =
        [
            .. current.Members.Values
                .Where(member => member.Status == SiloStatus.Active)
                .Select(member => RendezvousHash.HashNode(NodeName(member.SiloAddress)))
                .Append(_self).Distinct().Order(),
        ];
        if (!nodes.AsSpan().SequenceEqual(_nodes))
        {
            _nodes = nodes;
            _version++;
        }
    }
}
