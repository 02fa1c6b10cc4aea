using System.Text;
using CsCheck;
using RpOrleans.Grains.Placement;
using Xunit;

namespace RpOrleans.Tests.Parts;

public sealed class RendezvousHashTests
{
    private static readonly ulong[] _sixteenNodes =
        [.. Enumerable.Range(1, 16).Select(i => RendezvousHash.HashNode($"10.0.0.{i}:11111"))];

    private static readonly Gen<ulong[]> _nodes =
        Gen.Int[0, 10_000].HashSet[2, 40].Select(names => names.Select(name => RendezvousHash.HashNode($"node-{name}:11111")).ToArray());

    private static readonly Gen<ulong> _key = Gen.Byte.Array[0, 40].Select(key => RendezvousHash.HashKey(key));

    [Fact]
    public void AddingANodeMovesOnlyTheKeysItWins() =>
        Gen.Select(_nodes, _key.Array[1, 50]).Sample((nodes, keys) =>
        {
            var (before, joiner) = (nodes[1..], nodes[0]);
            foreach (var key in keys)
            {
                var owner = OwnerOf(key, nodes);
                Assert.True(owner == joiner || owner == OwnerOf(key, before));
            }
        },
        iter: 2_000);

    [Fact]
    public void RemovingANodeMovesOnlyTheKeysItHeldAndThoseToItsStandIn() =>
        Gen.Select(_nodes, _key.Array[1, 50]).Sample((nodes, keys) =>
        {
            var (leaver, after) = (nodes[^1], nodes[..^1]);
            foreach (var key in keys)
            {
                var ranked = Ranked(key, nodes);
                var expected = ranked[0] == leaver ? ranked[1] : ranked[0];
                Assert.Equal(expected, OwnerOf(key, after));
            }
        },
        iter: 2_000);

    [Fact]
    public void TheOrderInWhichNodesAreListedDecidesNothing() =>
        (from nodes in _nodes
         from shuffled in Gen.Shuffle(nodes)
         from key in _key
         select (nodes, shuffled, key)).Sample((nodes, shuffled, key) =>
        {
            Assert.Equal(OwnerOf(key, nodes), OwnerOf(key, shuffled));
            Assert.Equal(Ranked(key, nodes), Ranked(key, shuffled));
        },
        iter: 5_000);

    [Fact]
    public void RankListsEveryNodeOnceFromTheHighestScoreDown() =>
        Gen.Select(_nodes, _key).Sample((nodes, key) =>
        {
            var ranked = new int[nodes.Length];
            RendezvousHash.Rank(key, nodes, ranked);

            Assert.Equal(RendezvousHash.Owner(key, nodes), ranked[0]);
            Assert.Equal(Enumerable.Range(0, nodes.Length), ranked.Order());
            Assert.Equal(ranked.OrderByDescending(node => RendezvousHash.Score(key, nodes[node])), ranked);
        },
        iter: 5_000);

    [Fact]
    public void WithMoreNodesThanFitTheStackTheFirstIsStillTheOwner()
    {
        var nodes = Enumerable.Range(0, 1_000).Select(i => RendezvousHash.HashNode($"node-{i}")).ToArray();
        var key = RendezvousHash.HashKey("user:7"u8);
        Assert.Equal(OwnerOf(key, nodes), Ranked(key, nodes)[0]);
    }

    [Fact]
    public void WithoutNodesNobodyOwns()
    {
        Assert.Equal(-1, RendezvousHash.Owner(RendezvousHash.HashKey("user:7"u8), []));
        RendezvousHash.Rank(RendezvousHash.HashKey("user:7"u8), [], []);
    }

    [Fact]
    public void KeysSpreadEvenlyWithinFivePercent() =>
        AssertEven(Keys(100_000).CountBy(key => OwnerOf(key, _sixteenNodes)).Select(share => share.Value), parts: 16, tolerance: 0.05);

    [Fact]
    public void TheKeysOfANodeThatLeavesSpreadEvenlyOverTheRest()
    {
        var leaver = _sixteenNodes[3];
        var standIns = Keys(200_000).Select(key => Ranked(key, _sixteenNodes)).Where(ranked => ranked[0] == leaver).Select(ranked => ranked[1]);
        AssertEven(standIns.CountBy(node => node).Select(share => share.Value), parts: 15, tolerance: 0.12);
    }

    [Fact]
    public void EveryProcessComputesTheSame()
    {
        // Of one cluster, nodes and gateways of different versions too: these numbers are part of its protocol.
        var key = RendezvousHash.HashKey("user:7"u8);
        var node = RendezvousHash.HashNode("10.0.0.1:11111");
        Assert.Equal(0x0067B227F59EE6B4UL, key);
        Assert.Equal(0x1A9D7895F069A514UL, node);
        Assert.Equal(0xFD5EE15A963013D3UL, RendezvousHash.Score(key, node));
    }

    private static IEnumerable<ulong> Keys(int count) =>
        Enumerable.Range(0, count).Select(i => RendezvousHash.HashKey(Encoding.UTF8.GetBytes($"user:{i}")));

    private static void AssertEven(IEnumerable<int> shares, int parts, double tolerance)
    {
        var counts = shares.ToList();
        Assert.Equal(parts, counts.Count);
        var even = counts.Average();
        Assert.All(counts, count => Assert.InRange(count, even * (1 - tolerance), even * (1 + tolerance)));
    }

    private static ulong OwnerOf(ulong key, ulong[] nodes) => nodes[RendezvousHash.Owner(key, nodes)];

    private static ulong[] Ranked(ulong key, ulong[] nodes)
    {
        var ranked = new int[nodes.Length];
        RendezvousHash.Rank(key, nodes, ranked);
        return [.. ranked.Select(node => nodes[node])];
    }
}
