using BenchmarkDotNet.Attributes;
using RpOrleans.Grains.Placement;

namespace RpOrleans.Micro;

/// <summary>Who owns a key.</summary>
public class HashBenchmarks
{
    private readonly byte[] _key = Samples.Keys(1)[0];
    private ulong[] _nodes = [];
    private int[] _ranked = [];

    [Params(1, 3, 8, 32)]
    public int Nodes { get; set; }

    [GlobalSetup]
    public void Name()
    {
        _nodes = [.. Enumerable.Range(0, Nodes).Select(node => RendezvousHash.HashNode($"S127.0.0.1:{11111 + node}:1"))];
        _ranked = new int[Nodes];
    }

    [Benchmark]
    public int Owner() => RendezvousHash.Owner(RendezvousHash.HashKey(_key), _nodes);

    [Benchmark]
    public int Rank()
    {
        RendezvousHash.Rank(RendezvousHash.HashKey(_key), _nodes, _ranked);
        return _ranked[0];
    }
}
