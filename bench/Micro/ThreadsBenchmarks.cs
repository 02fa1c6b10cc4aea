using BenchmarkDotNet.Attributes;
using RpOrleans.Gateway.Near;
using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Lru;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Micro;

/// <summary>Hits by one thread, and by two at once: where they would wait for each other. For one hit of all; half of the time by two is as good as it gets.</summary>
public class ThreadsBenchmarks
{
    private const int Hits = 400_000;
    private const int Capacity = 10_000;
    private readonly byte[][] _keys = Samples.Keys(Capacity);
    private HeldEntries _node = null!;
    private NearCache _copies = null!;
    private NodeLease _lease = null!;

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        var time = TimeProvider.System;
        var session = new Session(time);
        session.Confirm(session.Open(() => true), time.GetTimestamp(), TimeSpan.FromDays(1));
        var cache = new LruCache(Capacity, long.MaxValue, time);
        _node = new HeldEntries(cache, session, new NodeMetrics(cache), new CacheOptions(), time);
        _copies = new NearCache(64 * 1024 * 1024, time);
        _lease = _copies.NewLease();
        _copies.Renew(_lease, new LeaseAnswer(1, 0, KeyBatch.Of(), All: false, ValidMilliseconds: 1_000_000_000, Freshness.Tracking), time.GetTimestamp());
        foreach (var key in _keys)
        {
            _node.End(_node.BeginLoad(key), keep: true, Samples.Value(), time.GetTimestamp(), TimeSpan.FromDays(1));
            var answer = Samples.Answers(1)[0] with { Granted = true, FreshMilliseconds = 1_000_000_000 };
            _copies.End(_lease, _copies.Begin(_lease), KeyBatch.Of(key), LookupBatch.Of(answer));
        }
    }

    [Benchmark(OperationsPerInvoke = Hits)]
    public int AtTheNode() => ByAll(key => _node.TryHit(key, out _));

    [Benchmark(OperationsPerInvoke = Hits)]
    public int OfCopies() => ByAll(key => _copies.TryHit(_lease, key, out _));

    private int ByAll(Func<byte[], bool> hit)
    {
        var found = 0;
        Parallel.For(0, Threads, new ParallelOptions { MaxDegreeOfParallelism = Threads }, thread =>
        {
            var mine = 0;
            for (var i = 0; i < Hits / Threads; i++)
            {
                mine += hit(_keys[(int)((uint)(i * 7919 + thread) % Capacity)]) ? 1 : 0; // a prime: keys that follow each other do not lie beside each other
            }

            Interlocked.Add(ref found, mine);
        });
        return found == Hits ? found : throw new InvalidOperationException($"{found} of {Hits} were hits.");
    }
}
