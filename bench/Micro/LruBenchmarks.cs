using BenchmarkDotNet.Attributes;
using RpOrleans.Grains.Lru;

namespace RpOrleans.Micro;

/// <summary>What a node does for a key: a cache that is full, with 100,000 entries.</summary>
public class LruBenchmarks
{
    private const int Capacity = 100_000;
    private static readonly TimeSpan _life = TimeSpan.FromDays(1);
    private readonly byte[][] _keys = Samples.Keys(2 * Capacity);
    private readonly byte[] _value = Samples.Value();
    private readonly LruCache _cache = new(Capacity, long.MaxValue, TimeProvider.System);
    private int _held;
    private int _next;

    [GlobalSetup]
    public void Fill()
    {
        new Random(1).Shuffle(_keys); // keys that follow each other do not lie beside each other
        foreach (var key in _keys)
        {
            Put(key);
        }
    }

    [Benchmark]
    public bool Hit()
    {
        _held = _held + 1 < Capacity ? _held + 1 : 0;
        return _cache.TryGet(_keys[Capacity + _held], out _);
    }

    [Benchmark]
    public bool Miss()
    {
        _held = _held + 1 < Capacity ? _held + 1 : 0;
        return _cache.TryGet(_keys[_held], out _);
    }

    [Benchmark]
    public bool PutInPlaceOfAnother()
    {
        _held = _held + 1 < Capacity ? _held + 1 : 0;
        return Put(_keys[Capacity + _held]);
    }

    // Twice as many keys as fit, in turn: the next one is never held.
    [Benchmark]
    public bool PutAndEvict()
    {
        _next = _next + 1 < _keys.Length ? _next + 1 : 0;
        return Put(_keys[_next]);
    }

    private bool Put(byte[] key) => _cache.Put(key, _value, TimeProvider.System.GetTimestamp(), _life);
}
