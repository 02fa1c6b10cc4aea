using System.IO.Hashing;
using System.Text;

namespace RpOrleans.Grains.Placement;

// Rendezvous hashing (Thaler & Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", 1998): every node scores the key
// and the highest score owns it, the next one stands in for it. Adding a node moves only the keys that it now wins, removing one only
// those that it held, and these spread evenly over the rest. Nobody has to agree on anything but the nodes' names; the price
// is one score per node on each lookup, fine for tens of nodes.
//
// For one key different nodes never score alike: what is mixed is different, and mixing is one-to-one. So the order in which
// the nodes are listed decides nothing. Every process must compute the same owner, so nothing here is secret: who may choose
// keys can choose many of one node. What that can cost a node is bounded by the cache's limits, not here.

/// <summary>Decides which of the nodes owns a key.</summary>
internal static class RendezvousHash
{
    private const int ScoresOnStack = 128;

    /// <summary>The hash of a key, the same in every process.</summary>
    public static ulong HashKey(ReadOnlySpan<byte> key) => XxHash3.HashToUInt64(key);

    /// <summary>The hash of a node's name, the same in every process.</summary>
    public static ulong HashNode(string name) => XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(name));

    /// <summary>What a node scores for a key.</summary>
    // The finaliser of SplitMix64 (Steele, Lea & Flood, 2014; constants by Stafford): each bit that goes in turns about half of those that come out.
    public static ulong Score(ulong keyHash, ulong nodeHash)
    {
        var mixed = keyHash ^ nodeHash;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }

    /// <summary>The node that owns a key.</summary>
    /// <param name="keyHash">The key's hash.</param>
    /// <param name="nodeHashes">The nodes' hashes, in any order.</param>
    /// <returns>Its index; −1 when there is no node.</returns>
    public static int Owner(ulong keyHash, ReadOnlySpan<ulong> nodeHashes)
    {
        var owner = -1;
        var highest = 0UL;
        for (var node = 0; node < nodeHashes.Length; node++)
        {
            var score = Score(keyHash, nodeHashes[node]);
            if (owner < 0 || score > highest)
            {
                (owner, highest) = (node, score);
            }
        }

        return owner;
    }

    /// <summary>Lists the nodes in the order in which they serve a key: its owner, who stands in for the owner, and so on.</summary>
    /// <param name="keyHash">The key's hash.</param>
    /// <param name="nodeHashes">The nodes' hashes, in any order.</param>
    /// <param name="ranked">Takes the indexes of all nodes.</param>
    public static void Rank(ulong keyHash, ReadOnlySpan<ulong> nodeHashes, Span<int> ranked)
    {
        var nodes = nodeHashes.Length;
        Span<ulong> shortfalls = nodes <= ScoresOnStack ? stackalloc ulong[nodes] : new ulong[nodes];
        ranked = ranked[..nodes];
        for (var node = 0; node < nodes; node++)
        {
            shortfalls[node] = ulong.MaxValue - Score(keyHash, nodeHashes[node]); // smallest first is highest score first
            ranked[node] = node;
        }

        shortfalls.Sort(ranked);
    }
}
