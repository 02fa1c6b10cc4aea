using System.Diagnostics;
using System.Globalization;

namespace RpOrleans.Coherence.Measurements;

// A million keys are read for the first time as fast as they come, in batches. From then on they are read at a constant
// rate, at random. The window is one RECORD_EXPIRY long and begins when the first of them may be read anew: so each key
// is read from Redis about once in it. Its mean rate is what Redis would see if the burst had never been; its peak is the
// most that Redis saw in a second.

/// <summary>How unevenly Redis is read when what was loaded together expires.</summary>
internal sealed class BurstExpiry(Cluster cluster, Options options)
{
    private const int ConnectionsPerGateway = 4;
    private const int BurstBatch = 250;
    private const int SteadyBatch = 100;
    private const double WindowBegins = 0.85; // as a share of the expiry: before refresh-ahead and jitter let anything be read anew

    private readonly int _keys = options.Take(1_000_000, 100_000);
    private readonly int _keysPerSecond = options.Take(60_000, 20_000);
    private readonly TimeSpan _expiry = Expiry(options);
    private int _next;

    public static Measurement Measurement { get; } = new(
        "expiry",
        options => new()
        {
            ["RECORD_CAPACITY"] = "1000000",
            ["RECORD_CAPACITY_BYTES"] = "2147483648",
            ["RECORD_EXPIRY"] = Expiry(options).TotalSeconds.ToString(CultureInfo.InvariantCulture),
        },
        (cluster, options) => new BurstExpiry(cluster, options).RunAsync());

    private async Task<IReadOnlyList<Row>> RunAsync()
    {
        cluster.Fill(_keys);
        var began = Stopwatch.GetTimestamp();
        using var stopping = new CancellationTokenSource();
        var watching = WatchAsync(began, stopping.Token);

        var failedInBurst = await ConnectionsAsync(LoadAllAsync);
        var burst = Stopwatch.GetElapsedTime(began);
        var (from, until) = (WindowBegins * _expiry, (1 + WindowBegins) * _expiry);
        var steady = Stopwatch.GetTimestamp();
        var asked = 0L;
        var failed = await ConnectionsAsync(async reader =>
        {
            var (count, notAnswered) = await ReadSteadilyAsync(reader, began, until);
            Interlocked.Add(ref asked, count);
            return notAnswered;
        });
        var rate = asked / Stopwatch.GetElapsedTime(steady).TotalSeconds;
        await stopping.CancelAsync();

        var window = (await watching).Where(second => second.At >= from && second.At < until).ToList();
        var mean = window.Sum(second => second.Reads) / window.Sum(second => second.Length.TotalSeconds);
        var peak = window.Max(second => second.Reads / second.Length.TotalSeconds);
        return
        [
            new Row(
                $"{_keys:N0} keys loaded in a burst, read at a constant rate since: Redis's reads when they expire, "
                + $"in the {_expiry.TotalSeconds:0} s (one RECORD_EXPIRY) from {WindowBegins} of their life on",
                "peak (of 1 s) ≤ 3 × mean",
                $"{peak / mean:0.00} × (peak {peak:0}/s, mean {mean:0}/s); loaded within {burst.TotalSeconds:0} s; "
                + $"{rate:0} keys/s read since; {failedInBurst + failed} reads not answered",
                peak <= 3 * mean && failedInBurst + failed == 0),
        ];
    }

    /// <summary>The expiry that the nodes have: the default; a trial has no time for it.</summary>
    private static TimeSpan Expiry(Options options) => TimeSpan.FromSeconds(options.Take(60, 12));

    private async Task<long> ConnectionsAsync(Func<BatchReader, Task<long>> readAsync)
    {
        var failed = await Task.WhenAll(Enumerable.Range(0, ConnectionsPerGateway * cluster.Ports.Count).Select(number => Task.Run(async () =>
        {
            using var reader = new BatchReader(cluster.Ports[number % cluster.Ports.Count]);
            return await readAsync(reader);
        })));
        return failed.Sum();
    }

    private async Task<long> LoadAllAsync(BatchReader reader)
    {
        var failed = 0L;
        while (Interlocked.Add(ref _next, BurstBatch) is var next && next - BurstBatch < _keys)
        {
            failed += await reader.AskAsync([.. Enumerable.Range(next - BurstBatch, Math.Min(BurstBatch, _keys - next + BurstBatch))]);
        }

        return failed;
    }

    private async Task<(long Asked, long Failed)> ReadSteadilyAsync(BatchReader reader, long began, TimeSpan until)
    {
        var random = new Random(); // which keys does not matter, but that connections do not all ask for the same
        var period = TimeSpan.FromSeconds((double)SteadyBatch * ConnectionsPerGateway * cluster.Ports.Count / _keysPerSecond);
        var due = Stopwatch.GetElapsedTime(began);
        var (asked, failed) = (0L, 0L);
        var keys = new int[SteadyBatch];
        while (Stopwatch.GetElapsedTime(began) < until)
        {
            for (var i = 0; i < keys.Length; i++)
            {
                keys[i] = random.Next(_keys);
            }

            failed += await reader.AskAsync(keys);
            asked += keys.Length;
            due += period; // what is late is made up for
            if (due - Stopwatch.GetElapsedTime(began) is var early && early > TimeSpan.Zero)
            {
                await Task.Delay(early);
            }
        }

        return (asked, failed);
    }

    /// <summary>Counts Redis's reads second by second.</summary>
    private async Task<List<(TimeSpan At, TimeSpan Length, long Reads)>> WatchAsync(long began, CancellationToken stopping)
    {
        var seconds = new List<(TimeSpan, TimeSpan, long)>();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
        var (at, reads) = (Stopwatch.GetElapsedTime(began), await cluster.ReadsOfRedisAsync());
        while (!stopping.IsCancellationRequested)
        {
            await timer.WaitForNextTickAsync(CancellationToken.None);
            var (now, all) = (Stopwatch.GetElapsedTime(began), await cluster.ReadsOfRedisAsync());
            seconds.Add((at, now - at, all - reads));
            (at, reads) = (now, all);
        }

        return seconds;
    }
}
