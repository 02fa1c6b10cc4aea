using RpOrleans.Grains;
using RpOrleans.Grains.Admin;

namespace RpOrleans.Gateway.Routing;

/// <summary>The nodes as this gateway sees them now.</summary>
internal sealed class Nodes
{
    private volatile NodeRing _ring = NodeRing.Empty;
    private volatile bool _reachedAll;
    private volatile IReadOnlyList<string> _notReached = ["the membership table has not been read yet"];

    /// <summary>Who owns what.</summary>
    public NodeRing Ring => _ring;

    /// <summary>Takes a new view.</summary>
    /// <param name="ring">The nodes that have been reached.</param>
    /// <param name="notReached">What is missing still, in words.</param>
    public void Update(NodeRing ring, IReadOnlyList<string> notReached)
    {
        _ring = ring;
        _notReached = notReached;
        _reachedAll |= notReached.Count == 0 && ring.Nodes.Length > 0;
    }

    /// <summary>
    /// Why no reads can be served; empty when they can. To become ready, every active node must have been reached; later
    /// on others stand in for the ones that are lost, and one is enough.
    /// </summary>
    public IReadOnlyList<string> NotReady()
    {
        if (!_reachedAll)
        {
            return _notReached.Count > 0 ? _notReached : ["there is no active node"];
        }

        var usable = _ring.Nodes.Where(node => node.Usable).ToList();
        if (usable.Count == 0)
        {
            return ["no node answers"];
        }

        var states = usable.Select(node => node.State).OfType<NodeState>().Select(NodeHealth.CannotAskRedis).ToList();
        return states.Contains(null) ? [] : [.. states.OfType<string>().Distinct()];
    }
}
