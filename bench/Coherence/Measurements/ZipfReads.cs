using System.Globalization;

namespace RpOrleans.Coherence.Measurements;

// The same sequence goes to the cluster and to one ideal LRU of the size of all nodes together. The cluster takes it by many
// connections at once, so its order differs by some ten places, which an LRU of thousands does not notice. A write through a
// gateway leaves the new value in the ideal LRU, a write at Redis leaves nothing. What a node reads to complete a write
// of its own is not counted as a read, and is mentioned.

/// <summary>How much more Redis is read than it must be, by a cache that is too small for all keys.</summary>
internal sealed class ZipfReads(Cluster cluster, int reads)
{
    private const int Keys = 100_000;
    private const double Exponent = 0.99;
    private const int ReadsPerWrite = 100;
    private const int CapacityOfANode = Keys / 10 / 3;
    private const int ReadersPerGateway = 16;

    private readonly IReadOnlyList<(Operation Operation, int Key)> _sequence = KeySequence.Zipf(Keys, Exponent, reads, ReadsPerWrite);
    private readonly NewestVersions _acknowledged = new(Keys);
    private readonly SemaphoreSlim[] _writing = [.. Enumerable.Range(0, 64).Select(_ => new SemaphoreSlim(1))];
    private readonly int[] _versions = new int[Keys];
    private int _next = -1;
    private int _failed;

    public static Measurement Measurement { get; } = new(
        "zipf",
        _ => new()
        {
            ["RECORD_CAPACITY"] = CapacityOfANode.ToString(CultureInfo.InvariantCulture),
            ["RECORD_EXPIRY"] = "86400",
        },
        (cluster, options) => new ZipfReads(cluster, options.Take(1_000_000, 100_000)).RunAsync());

    private async Task<IReadOnlyList<Row>> RunAsync()
    {
        cluster.Fill(Keys);
        var before = await cluster.ReadsOfRedisAsync();
        await ConcurrentReaders.Start(cluster.Ports, ReadersPerGateway, TakeTurnsAsync);
        var all = await cluster.ReadsOfRedisAsync() - before;
        var loads = all - _sequence.Count(step => step.Operation == Operation.Write);
        var needed = NeededByAnIdealLru();
        return
        [
            new Row(
                $"Zipf {Exponent} over {Keys:N0} keys, {reads:N0} reads with 1 % writes (half through the gateways, half at Redis), "
                + "capacity for a tenth of the keys",
                "reads of Redis ≤ 1.02 × an ideal LRU of that size with instant invalidation",
                $"{(double)loads / needed:0.000} × ({loads:N0} of {needed:N0}); with what writes through a gateway read back {(double)all / needed:0.000} ×; "
                + $"{_failed} not answered",
                loads <= 1.02 * needed && _failed == 0),
        ];
    }

    private long NeededByAnIdealLru()
    {
        var ideal = new IdealLru(3 * CapacityOfANode);
        foreach (var (operation, key) in _sequence)
        {
            switch (operation)
            {
                case Operation.Read: ideal.Read(key); break;
                case Operation.Write: ideal.Write(key); break;
                case Operation.OutsideWrite: ideal.Invalidate(key); break;
            }
        }

        return ideal.Loads;
    }

    private async Task<long> TakeTurnsAsync(int gateway, int number, KeyReader reader)
    {
        using var writer = new KeyWriter(cluster.Ports[gateway]);
        using var redis = new RedisWriter(cluster.Data.Port);
        var done = 0L;
        for (; Interlocked.Increment(ref _next) is var turn && turn < _sequence.Count; done++)
        {
            var (operation, key) = _sequence[turn];
            if (operation == Operation.Read)
            {
                var floor = _acknowledged.Floor(key);
                var read = await reader.AskAsync(key);
                if (read.IsAnswered)
                {
                    NewestVersions.Judge(floor, read.Version);
                }
                else
                {
                    Interlocked.Increment(ref _failed);
                }
            }
            else
            {
                await WriteAsync(operation, key, writer, redis);
            }
        }

        return done;
    }

    /// <summary>Writes the next version of a key, one at a time: so the newest version is the last one written.</summary>
    private async Task WriteAsync(Operation operation, int key, KeyWriter writer, RedisWriter redis)
    {
        var turn = _writing[key % _writing.Length];
        await turn.WaitAsync();
        try
        {
            var version = ++_versions[key];
            if (operation == Operation.OutsideWrite)
            {
                redis.Set((key, version));
                return;
            }

            if (await writer.WriteAsync(key, version))
            {
                _acknowledged.Raise(key, version);
            }
            else
            {
                Interlocked.Increment(ref _failed);
            }
        }
        finally
        {
            turn.Release();
        }
    }
}
