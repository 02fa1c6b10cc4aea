using System.Diagnostics;

namespace RpOrleans.Coherence.Measurements;

// Readers ask both gateways for a few keys all the time, so that each gateway has a copy of each again a moment after it had to
// let go of it. Beside them one writer a gateway writes keys of its own among those, and each acknowledgement is timed: it waits
// until both gateways have let go. A read that begins after it must bring what was written, or something newer, whichever
// gateway it asks. Then a gateway is stopped, and a key written through the other: that waits for the lease of the first.

/// <summary>How long a write through a gateway takes while both gateways hold copies of its key.</summary>
internal sealed class HeldWrites(Cluster cluster, TimeSpan length, int pauses)
{
    private const int KeysOfAWriter = 20;
    private const int ReadersPerGateway = 4;
    private static readonly TimeSpan _target = TimeSpan.FromMilliseconds(20);

    /// <summary><c>COHERENCE_BOUND</c>, and what a node adds for clocks that differ in their rate.</summary>
    private static readonly TimeSpan _lease = TimeSpan.FromMilliseconds(505);

    /// <summary>Between reads, and between writes, of one connection: neither is to wait for a processor.</summary>
    private static readonly TimeSpan _readPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan _writePause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan _settling = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private readonly int[] _versions = new int[Keys(cluster)];
    /// <summary>What each gateway must bring: what it has answered, and what has been acknowledged through any.</summary>
    private readonly NewestVersions[] _known = [.. cluster.Ports.Select(_ => new NewestVersions(Keys(cluster)))];
    private long _reads;
    private int _failed;

    public static Measurement Measurement { get; } = new(
        "copies",
        _ => [],
        (cluster, options) => new HeldWrites(cluster, TimeSpan.FromSeconds(options.Take(25, 5)), options.Take(20, 3)).RunAsync());

    private async Task<IReadOnlyList<Row>> RunAsync()
    {
        cluster.Fill(Keys(cluster));
        var readers = ConcurrentReaders.Start(cluster.Ports, ReadersPerGateway, ReadAsync);
        await Task.WhenAny(Task.Delay(_settling), readers);

        var (began, hits, reads) = (Stopwatch.GetTimestamp(), await cluster.NearHitsAsync(), Volatile.Read(ref _reads));
        var samples = await Task.WhenAll(cluster.Ports.Select((_, gateway) => WriteAsync(gateway, began)));
        var took = Stopwatch.GetElapsedTime(began);
        (hits, reads) = (await cluster.NearHitsAsync() - hits, Volatile.Read(ref _reads) - reads);

        var held = new List<TimeSpan>();
        for (var i = 0; i < pauses; i++)
        {
            held.Add(await WriteWhileStoppedAsync(i % cluster.Ports.Count, i % KeysOfAWriter));
        }

        await _stopping.CancelAsync();
        await readers;
        var (delays, waits) = (new Percentiles(samples.SelectMany(some => some)), new Percentiles(held));
        return
        [
            new Row(
                "A write through a gateway is acknowledged while both gateways hold copies of its key",
                "p99 ≤ 20 ms",
                $"p50 {Percentiles.Text(delays.At(50))}, p99 {Percentiles.Text(delays.At(99))}, max {Percentiles.Text(delays.Max)} ({delays.Count} samples); "
                + $"{reads / took.TotalSeconds:0} reads/s meanwhile, {100.0 * hits / reads:0} % of them from copies; {_failed} reads and writes not answered",
                _failed == 0 && delays.Count > 0 && delays.At(99) <= _target),
            new Row(
                "… while one of them is stopped (SIGSTOP): it waits for that one's lease",
                "≤ 505 ms",
                $"p50 {Percentiles.Text(waits.At(50))}, max {Percentiles.Text(waits.Max)} ({waits.Count} samples)",
                _failed == 0 && waits.Max <= _lease),
        ];
    }

    private static int Keys(Cluster cluster) => cluster.Ports.Count * KeysOfAWriter;

    private async Task<long> ReadAsync(int gateway, int number, KeyReader reader)
    {
        var random = new Random(number);
        var (known, reads) = (_known[gateway], 0L);
        for (; !_stopping.IsCancellationRequested; reads++)
        {
            var key = random.Next(Keys(cluster));
            var floor = known.Floor(key);
            var read = await reader.AskAsync(key);
            Interlocked.Increment(ref _reads);
            if (read.IsAnswered)
            {
                NewestVersions.Judge(floor, read.Version);
                known.Raise(key, read.Version);
            }
            else
            {
                Interlocked.Increment(ref _failed);
            }

            await Task.Delay(_readPause);
        }

        return reads;
    }

    private async Task<List<TimeSpan>> WriteAsync(int gateway, long began)
    {
        using var writer = new KeyWriter(cluster.Ports[gateway]);
        var samples = new List<TimeSpan>();
        for (var i = 0; Stopwatch.GetElapsedTime(began) < length; i++)
        {
            samples.Add(await WriteAsync(writer, (gateway * KeysOfAWriter) + (i % KeysOfAWriter)));
            await Task.Delay(_writePause);
        }

        return samples;
    }

    private async Task<TimeSpan> WriteAsync(KeyWriter writer, int key)
    {
        var version = ++_versions[key];
        var sent = Stopwatch.GetTimestamp();
        var acknowledged = await writer.WriteAsync(key, version);
        var took = Stopwatch.GetElapsedTime(sent);
        if (acknowledged)
        {
            Array.ForEach(_known, known => known.Raise(key, version));
        }
        else
        {
            Interlocked.Increment(ref _failed);
        }

        return took;
    }

    private async Task<TimeSpan> WriteWhileStoppedAsync(int stopped, int key)
    {
        using var writer = new KeyWriter(cluster.Ports[(stopped + 1) % cluster.Ports.Count]);
        cluster.Pause(stopped);
        try
        {
            return await WriteAsync(writer, key);
        }
        finally
        {
            cluster.Resume(stopped);
            await Task.Delay(_settling); // it reads, and has a copy of every key again
        }
    }
}
