using RpOrleans.Grains.Placement;

namespace RpOrleans.Gateway.Routing;

/// <summary>The live nodes at one moment, and who of them owns a key. Never changes; a new view is a new ring.</summary>
internal sealed class NodeRing
{
    /// <summary>No node at all.</summary>
    public static readonly NodeRing Empty = new([]);

    private readonly ulong[] _hashes;

    public NodeRing(IEnumerable<NodeLink> nodes)
    {
        Nodes = [.. nodes.OrderBy(node => node.Hash)];
        _hashes = [.. Nodes.Select(node => node.Hash)];
    }

    public NodeLink[] Nodes { get; }

    /// <summary>The node that owns the key; <see langword="null"/> when there is no node.</summary>
    public NodeLink? Owner(ReadOnlySpan<byte> key) =>
        Nodes.Length switch
        {
            0 => null,
            1 => Nodes[0],
            _ => Nodes[RendezvousHash.Owner(RendezvousHash.HashKey(key), _hashes)],
        };

    /// <summary>All nodes, the owner first, then those who stand in for it, in order.</summary>
    public NodeLink[] Ranked(ReadOnlySpan<byte> key)
    {
        Span<int> ranked = stackalloc int[Nodes.Length];
        RendezvousHash.Rank(RendezvousHash.HashKey(key), _hashes, ranked);
        var nodes = new NodeLink[ranked.Length];
        for (var i = 0; i < ranked.Length; i++)
        {
            nodes[i] = Nodes[ranked[i]];
        }

        return nodes;
    }
}
