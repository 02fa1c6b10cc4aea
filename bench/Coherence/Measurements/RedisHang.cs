using System.Diagnostics;

namespace RpOrleans.Coherence.Measurements;

// Readers go by the clock and catch up: so what they get says whether answers come, not how busy the machine is. Most ask for
// keys that are held, some for keys that nobody has asked for yet, which only Redis can answer. Answers to what was asked
// more than an answer's longest time after Redis stopped are those under an open breaker; no look into the nodes is needed.

/// <summary>What readers notice of a Redis that hangs.</summary>
internal sealed class RedisHang(Cluster cluster, Options options)
{
    private const int Held = 10_000;
    private const int Cold = 100_000;
    private const int OneColdIn = 10;
    private const int ReadersPerGateway = 32;
    private const int ReadsPerSecond = 8_000;
    private static readonly TimeSpan _longest = TimeSpan.FromMilliseconds(1_050);
    private static readonly TimeSpan _firstHang = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan _settling = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan _after = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan _window = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _recovery = TimeSpan.FromSeconds(3);

    private readonly TimeSpan _before = TimeSpan.FromSeconds(options.Take(10, 4));
    private readonly TimeSpan _hang = TimeSpan.FromSeconds(options.Take(30, 5));
    private readonly CancellationTokenSource _stopping = new();
    private readonly long _began = Stopwatch.GetTimestamp();
    private int _nextCold = Held;

    public static Measurement Measurement { get; } = new(
        "hang",
        _ => new() { ["RECORD_EXPIRY"] = "300" },
        (cluster, options) => new RedisHang(cluster, options).RunAsync());

    private TimeSpan Now => Stopwatch.GetElapsedTime(_began);

    private async Task<IReadOnlyList<Row>> RunAsync()
    {
        cluster.Fill(Held + Cold);
        await HoldAsync();
        var asked = new List<Asked>();
        var reading = ConcurrentReaders.Start(cluster.Ports, ReadersPerGateway, async (_, number, reader) =>
        {
            var some = await ReadAsync(number, reader);
            lock (asked) asked.AddRange(some);
            return some.Count;
        });

        // What is run only while Redis hangs has to be compiled too, as the rest was when the cluster was warmed.
        cluster.Data.Pause();
        await PassAsync(_firstHang);
        cluster.Data.Resume();
        await PassAsync(_settling);
        var measured = Now;
        await PassAsync(_before);
        var stopped = Now;
        cluster.Data.Pause();
        await PassAsync(_hang);
        cluster.Data.Resume();
        var woken = Now;
        await PassAsync(_after);
        await _stopping.CancelAsync();
        await reading;

        return Judge(
            asked.Where(one => one.At >= measured && one.At < stopped).ToList(),
            asked.Where(one => one.At + one.Took >= stopped && one.At < woken).ToList(),
            asked.Where(one => one.At >= woken).ToList(),
            stopped,
            woken);

        // Nothing but the delay ends unless it fails.
        async Task PassAsync(TimeSpan time) => await await Task.WhenAny(Task.Delay(time), reading);
    }

    private Row[] Judge(List<Asked> before, List<Asked> during, List<Asked> after, TimeSpan stopped, TimeSpan woken)
    {
        var latest = new Percentiles(during.Concat(after).Select(one => one.Took)).Max;
        var open = during.Where(one => one.At >= stopped + _longest && one.At + one.Took < woken).ToList();
        var allBefore = new Percentiles(before.Select(one => one.Took));
        var allOpen = new Percentiles(open.Select(one => one.Took));
        var refused = new Percentiles(open.Where(one => one.IsCold).Select(one => one.Took));
        var hitsBefore = new Percentiles(before.Where(one => !one.IsCold).Select(one => one.Took));
        var hits = new Percentiles(open.Where(one => !one.IsCold).Select(one => one.Took));
        var hitsFailed = during.Count(one => !one.IsCold && one.Status != 200);
        var back = BackAfter(before, after, woken);
        return
        [
            new Row(
                $"Redis hangs for {_hang.TotalSeconds:0} s at {ReadsPerSecond:N0} reads/s, one in {OneColdIn} of a key that is not held: the latest answer",
                "≤ 1,050 ms",
                $"{Percentiles.Text(latest)} ({during.Count + after.Count:N0} answers)",
                latest <= _longest),
            new Row(
                "… answers while the breaker is open (asked 1,050 ms or more after Redis stopped)",
                "p99 ≤ 10 ms",
                $"all p99 {Percentiles.Text(allOpen.At(99))} (before {Percentiles.Text(allBefore.At(99))}); "
                + $"refusals p99 {Percentiles.Text(refused.At(99))} ({refused.Count:N0})",
                allOpen.At(99) <= TimeSpan.FromMilliseconds(10) && refused.At(99) <= TimeSpan.FromMilliseconds(10) && refused.Count > 0),
            new Row(
                "… reads of what is held, meanwhile",
                "all answered, p99.9 ≤ 1.5 × before",
                $"{hits.At(99.9) / hitsBefore.At(99.9):0.00} × ({Percentiles.Text(hits.At(99.9))}, before {Percentiles.Text(hitsBefore.At(99.9))}); "
                + $"p50 {Percentiles.Text(hits.At(50))}, before {Percentiles.Text(hitsBefore.At(50))}; {hitsFailed} not answered",
                hitsFailed == 0 && hits.At(99.9) <= 1.5 * hitsBefore.At(99.9)),
            new Row(
                "… right answers/s as before Redis hung, in all and to those reads that need it: "
                + "from when it wakes to the beginning of the first second with so many",
                "≥ 95 % after ≤ 3 s",
                back is { } time
                    ? $"after {time.TotalSeconds:0.00} s"
                    : $"not within {(_after - _window).TotalSeconds:0} s",
                back <= _recovery),
        ];
    }

    /// <summary>When as many reads are answered rightly as before, for a second at least: all together, and those that need Redis.</summary>
    // Each by itself: what is held is most of the whole, and is answered all the time.
    private TimeSpan? BackAfter(List<Asked> before, List<Asked> after, TimeSpan woken)
    {
        var step = TimeSpan.FromMilliseconds(50);
        var (enough, enoughCold) = (0.95 * Right(before) / _before.TotalSeconds, 0.95 * RightCold(before) / _before.TotalSeconds);
        for (var time = TimeSpan.Zero; time + _window <= _after; time += step)
        {
            var answered = after.Where(one => one.At + one.Took - woken is var at && at >= time && at < time + _window).ToList();
            if (Right(answered) >= enough * _window.TotalSeconds && RightCold(answered) >= enoughCold * _window.TotalSeconds)
            {
                return time;
            }
        }

        return null;

        static int Right(List<Asked> some) => some.Count(one => one.Status == 200);

        static int RightCold(List<Asked> some) => some.Count(one => one.Status == 200 && one.IsCold);
    }

    /// <summary>Has the cluster hold what shall be held.</summary>
    private Task HoldAsync()
    {
        var next = -1;
        return ConcurrentReaders.Start(cluster.Ports, ReadersPerGateway, async (_, _, reader) =>
        {
            for (; Interlocked.Increment(ref next) is var key && key < Held;)
            {
                while (!(await reader.AskAsync(key)).IsAnswered)
                {
                }
            }

            return 0;
        });
    }

    private async Task<List<Asked>> ReadAsync(int number, KeyReader reader)
    {
        var random = new Random(number);
        var period = TimeSpan.FromSeconds((double)ReadersPerGateway * cluster.Ports.Count / ReadsPerSecond);
        var due = Now + (random.NextDouble() * period);
        var asked = new List<Asked>(16_384);
        while (!_stopping.IsCancellationRequested)
        {
            var key = asked.Count % OneColdIn == 0 ? Interlocked.Increment(ref _nextCold) : random.Next(Held);
            var at = Now;
            var status = (await reader.AskAsync(key)).Status;
            asked.Add(new Asked(at, Now - at, (short)status, key >= Held));
            due += period;
            if (due - Now is var early && early > TimeSpan.Zero)
            {
                await Task.Delay(early);
            }
        }

        return asked;
    }

    /// <summary>One read: when it was sent, how long its answer took, what that was, and whether only Redis could give it.</summary>
    private readonly record struct Asked(TimeSpan At, TimeSpan Took, short Status, bool IsCold);
}
