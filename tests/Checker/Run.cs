using RpOrleans.Checker.Judging;

namespace RpOrleans.Checker;

/// <summary>One run: starts everything, lets it go wrong, stops, judges.</summary>
internal static class Run
{
    private static readonly TimeSpan _settling = TimeSpan.FromSeconds(20);

    public static async Task<int> OfAsync(Options options, CancellationToken interrupted)
    {
        Console.WriteLine($"seed {options.Seed}; schedule:");
        foreach (var fault in Within(options.Schedule, options.Length))
        {
            Console.WriteLine($"  {fault}");
        }

        await using var cluster = await Cluster.StartAsync(options);
        var (keys, calm) = (new KeySpace(options.Keys), new Calm());
        var faults = new Faults(cluster, keys, calm);
        await FillAsync(cluster, keys, faults);
        var settler = new Settler(keys, calm, cluster.Data.Port);
        var writers = Enumerable.Range(0, options.Writers).Select(number => new Writer(number, options, keys, cluster.Ports, cluster.Data.Port)).ToList();
        var readers = Enumerable.Range(0, options.Readers).Select(number => new Reader(number, options, keys, cluster.Ports, cluster.Data.Port)).ToList();
        using var watchdog = new Watchdog();
        var began = Clock.Now;
        for (var leg = 1; ; leg++)
        {
            var (cameBack, settled) = await LegAsync(options with { Warming = leg == 1 ? options.Warming : TimeSpan.Zero }, cluster, keys, faults, settler, readers, writers, interrupted);
            var history = new History(
                keys.Writes,
                [.. readers.SelectMany(reader => reader.Reads), .. writers.SelectMany(writer => writer.Reads)],
                faults.Disturbed,
                faults.StoodIn,
                faults.Unconfirmed,
                faults.Upstream,
                [.. watchdog.Frozen, .. faults.Hung, new Span(began, began + options.Warming)]);
            var judgement = Judge.Of(history, options.Rules);
            if (cameBack && settled && leg < options.Legs && !judgement.Violations.Any(violation => options.Until.Contains(violation.Rule)))
            {
                keys.Open();
                continue;
            }

            readers.ForEach(reader => reader.Dispose());
            Report.Print(options, history, judgement, faults, cluster.Lost);
            return cameBack && judgement.Violations.Count == 0 && cluster.Lost.Count == 0 ? 0 : 1;
        }
    }

    /// <summary>Lets everybody write and read while it goes wrong, until all writes are settled.</summary>
    /// <returns>Whether the cluster came back from the faults, and whether all writes were settled.</returns>
    private static async Task<(bool CameBack, bool Settled)> LegAsync(
        Options options, Cluster cluster, KeySpace keys, Faults faults, Settler settler, List<Reader> readers, List<Writer> writers, CancellationToken interrupted)
    {
        using var stopWriting = new CancellationTokenSource();
        using var stopAll = new CancellationTokenSource();
        var writing = Task.WhenAll(writers.Select(writer => Task.Run(() => writer.RunAsync(stopWriting.Token))));
        var others = Task.WhenAll(
            [.. readers.Select(reader => Task.Run(() => reader.RunAsync(stopAll.Token))), settler.RunAsync(stopAll.Token)]);
        var (cameBack, settled) = (true, false);
        try
        {
            await Task.Delay(options.Warming, interrupted);
            var until = Clock.Now + options.Length;
            await faults.RunAsync(options.Schedule, until, interrupted);
            await Task.Delay(until > Clock.Now ? until - Clock.Now : TimeSpan.Zero, interrupted);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            cameBack = false;
            Console.WriteLine($"THE CLUSTER DID NOT COME BACK: {failure.Message}\n{cluster.Report()}");
        }
        finally
        {
            await stopWriting.CancelAsync();
            await writing;
            settled = interrupted.IsCancellationRequested || await keys.CloseAsync(_settling);
            await stopAll.CancelAsync();
            await others;
        }

        await readers[0].RoundAsync();
        if (!settled)
        {
            Console.WriteLine($"{keys.Unsettled.Count} writes were not settled at the end.");
        }

        return (cameBack, settled);
    }

    /// <summary>As much of a schedule as fits; what takes longer than planned leaves out the last of it.</summary>
    private static IEnumerable<PlannedFault> Within(IEnumerable<PlannedFault> schedule, TimeSpan length)
    {
        var at = TimeSpan.Zero;
        return schedule.TakeWhile(fault => (at += fault.Calm + fault.Lasts) < length);
    }

    /// <summary>Gives every key its first version.</summary>
    private static async Task FillAsync(Cluster cluster, KeySpace keys, Faults faults)
    {
        using var redis = new RedisLink(cluster.Data.Port);
        var start = Clock.Now;
        await faults.FillAsync(redis);
        keys.AllChanged(start, deletes: false);
    }
}
