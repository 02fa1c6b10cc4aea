using System.Runtime.InteropServices;
using RpOrleans.Coherence;
using RpOrleans.Coherence.Measurements;

// Measures what coherence costs and how Redis's failures are felt; prints a table. Ends with 0 when every answer was right, whether or not
// the targets are met, 1 when one was wrong, 2 when it was told something that it does not understand.

const double OthersAtMost = 10; // percent of the machine

Measurement[] all =
[
    OutsideWrites.Measurement,
    HeldWrites.Measurement,
    ColdKeyHerd.Measurement,
    ZipfReads.Measurement,
    FittingReads.Measurement,
    BurstExpiry.Measurement,
    RedisHang.Measurement,
];

Options options;
try
{
    options = Options.Parse(args, [.. all.Select(measurement => measurement.Name)]);
}
catch (FormatException wrong)
{
    Console.Error.WriteLine($"bench: {wrong.Message}");
    return 2;
}

using var interrupted = new CancellationTokenSource();
using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
try
{
    var lines = new List<string>();
    foreach (var measurement in all.Where(measurement => options.Only.Count == 0 || options.Only.Contains(measurement.Name)))
    {
        Console.Error.WriteLine($"bench: {measurement.Name}");
        await using var cluster = await Cluster.StartAsync(measurement.Settings(options));
        var processors = new Processors(cluster.ProcessIds);
        var rows = await measurement.RunAsync(cluster, options).WaitAsync(interrupted.Token);
        var shares = processors.Used();
        lines.AddRange(rows.Select(row => Table.Line(row, shares)));
        Console.Error.WriteLine(string.Join('\n', lines.TakeLast(rows.Count).Select(line => $"bench: {line}")));
        if (shares.Others > OthersAtMost)
        {
            Console.Error.WriteLine($"bench: other programs took {shares.Others:0} % of the machine meanwhile: durations are of little worth");
        }
    }

    Console.WriteLine(Table.Head);
    lines.ForEach(Console.WriteLine);
    return 0;
}
catch (WrongAnswerException wrong)
{
    Console.Error.WriteLine($"bench: WRONG: {wrong.Message}");
    return 1;
}
catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
{
    return 130;
}
catch (Exception failure) // left to surface it would leave the processes behind
{
    Console.Error.WriteLine($"bench: {failure}");
    return 1;
}

void Interrupt(PosixSignalContext context)
{
    context.Cancel = true; // the processes are ended first
    interrupted.Cancel();
}
