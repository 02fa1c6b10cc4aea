using System.Diagnostics;

namespace RpOrleans.Coherence.Measurements;

// One thread writes a thousand keys a second straight to Redis, readers ask both gateways for all keys as fast as they are
// answered, and one more thread a gateway takes samples: it reads a key, so that a copy is held, writes it at Redis, and
// then reads it through the gateway over and over. It has threads of its own and blocks: a sample is late only because the answer is, or
// because no processor was free, which counts against what is measured.

/// <summary>How long after Redis has acknowledged a write a gateway still answers with what was there before.</summary>
internal sealed class OutsideWrites(Cluster cluster, TimeSpan length)
{
    private const int Keys = 10_000;
    private const int SampledKeys = 100; // of each gateway; nobody else writes these
    private const int WritesPerSecond = 1_000;
    private const int ReadersPerGateway = 16;
    private const int ReadsAfterwards = 3;
    private static readonly TimeSpan _settling = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _lost = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stopping = new();
    /// <summary>What each gateway has answered: through one gateway reads do not go backwards.</summary>
    private readonly NewestVersions[] _seen = [.. cluster.Ports.Select(_ => new NewestVersions(AllKeys(cluster)))];
    private int _failed;

    public static Measurement Measurement { get; } = new(
        "writes",
        _ => [],
        (cluster, options) => new OutsideWrites(cluster, TimeSpan.FromSeconds(options.Take(25, 5))).RunAsync());

    private async Task<IReadOnlyList<Row>> RunAsync()
    {
        cluster.Fill(AllKeys(cluster));
        var readers = ConcurrentReaders.Start(cluster.Ports, ReadersPerGateway, ReadAsync);
        var writer = OnThread(Write);
        await Task.WhenAny(Task.Delay(_settling), readers, writer);

        var began = Stopwatch.GetTimestamp();
        var samplers = Enumerable.Range(0, cluster.Ports.Count).Select(gateway => OnThread(() => Sample(gateway))).ToArray();
        await Task.WhenAny([Task.Delay(length), readers, writer, .. samplers]); // nothing but the delay ends unless it fails
        var took = Stopwatch.GetElapsedTime(began);
        await _stopping.CancelAsync();
        var (reads, writes) = (await readers, await writer);
        var samples = await Task.WhenAll(samplers);

        var delays = samples.Select(some => new Percentiles(some.Select(sample => sample.FromAcknowledged))).ToArray();
        var fromSent = new Percentiles(samples.SelectMany(some => some).Select(sample => sample.FromSent));
        var writesPerSecond = writes / (took + _settling).TotalSeconds;
        var measured = string.Join("; ", delays.Select((some, gateway) =>
            $"gateway {gateway + 1}: p50 {Percentiles.Text(some.At(50))}, p99 {Percentiles.Text(some.At(99))}, "
            + $"max {Percentiles.Text(some.Max)} ({some.Count} samples)"));
        return
        [
            new Row(
                "A write at Redis is seen by every gateway: from Redis's acknowledgement to the beginning of the first read "
                + "from which on none brings what was there before; 1,000 writes/s, readers at full load",
                "p99 ≤ 10 ms, max ≤ 250 ms",
                $"{measured}; counted from the write's sending p99 {Percentiles.Text(fromSent.At(99))}; "
                + $"{writesPerSecond:0} writes/s and {reads / (took + _settling).TotalSeconds:0} reads/s meanwhile; {_failed} reads not answered",
                _failed == 0 && writesPerSecond >= 0.98 * WritesPerSecond
                && delays.All(some => some.Count > 0 && some.At(99) <= TimeSpan.FromMilliseconds(10) && some.Max <= TimeSpan.FromMilliseconds(250))),
        ];
    }

    private static int AllKeys(Cluster cluster) => Keys + (cluster.Ports.Count * SampledKeys);

    private async Task<long> ReadAsync(int gateway, int number, KeyReader reader)
    {
        var random = new Random(number);
        var seen = _seen[gateway];
        var reads = 0L;
        for (; !_stopping.IsCancellationRequested; reads++)
        {
            var key = random.Next(AllKeys(cluster));
            var floor = seen.Floor(key);
            Judge(gateway, key, floor, await reader.AskAsync(key));
        }

        return reads;
    }

    private long Write()
    {
        using var redis = new RedisWriter(cluster.Data.Port);
        var random = new Random(1);
        var versions = new int[Keys];
        var due = new List<(int Key, int Version)>();
        var began = Stopwatch.GetTimestamp();
        for (var written = 0L; ; written += due.Count)
        {
            if (_stopping.IsCancellationRequested)
            {
                return written;
            }

            Thread.Sleep(1); // whatever is due by then goes together
            var until = Stopwatch.GetElapsedTime(began).TotalSeconds * WritesPerSecond;
            due.Clear();
            while (written + due.Count < until)
            {
                var key = random.Next(Keys);
                due.Add((key, ++versions[key]));
            }

            redis.Set([.. due]);
        }
    }

    private List<(TimeSpan FromAcknowledged, TimeSpan FromSent)> Sample(int gateway)
    {
        using var redis = new RedisWriter(cluster.Data.Port);
        using var reader = new KeyReader(cluster.Ports[gateway]);
        var samples = new List<(TimeSpan, TimeSpan)>();
        for (var version = 1; !_stopping.IsCancellationRequested; version++)
        {
            for (var key = Keys + (gateway * SampledKeys); key < Keys + ((gateway + 1) * SampledKeys) && !_stopping.IsCancellationRequested; key++)
            {
                samples.Add(SampleOf(key, version, gateway, reader, redis));
            }
        }

        return samples;
    }

    private (TimeSpan FromAcknowledged, TimeSpan FromSent) SampleOf(int key, int version, int gateway, KeyReader reader, RedisWriter redis)
    {
        Read(version - 1);
        var sent = Stopwatch.GetTimestamp();
        redis.Set((key, version));
        var acknowledged = Stopwatch.GetTimestamp();
        long began;
        do
        {
            began = Stopwatch.GetTimestamp();
            if (Stopwatch.GetElapsedTime(acknowledged, began) > _lost)
            {
                throw new WrongAnswerException($"A write at Redis was not seen within {_lost.TotalSeconds} s.");
            }
        }
        while (Read(version - 1) < version);

        for (var i = 0; i < ReadsAfterwards; i++)
        {
            Read(version);
        }

        return (Stopwatch.GetElapsedTime(acknowledged, began), Stopwatch.GetElapsedTime(sent, began));

        int Read(int floor)
        {
            floor = Math.Max(floor, _seen[gateway].Floor(key));
            var brought = Judge(gateway, key, floor, reader.Ask(key));
            return brought <= version ? brought : throw new WrongAnswerException("A read brought a version that was never written.");
        }
    }

    /// <returns>The version that was read; −1 for none.</returns>
    private int Judge(int gateway, int key, int floor, Read read)
    {
        if (read.IsAnswered)
        {
            NewestVersions.Judge(floor, read.Version);
            _seen[gateway].Raise(key, read.Version);
        }
        else
        {
            Interlocked.Increment(ref _failed);
        }

        return read.Version;
    }

    private static Task<T> OnThread<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
