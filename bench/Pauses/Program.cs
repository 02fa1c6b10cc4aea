using System.Globalization;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Parsers;

// Tells how long the runtime of a .NET process held all of its threads, from what it wrote down itself: it was started with
// DOTNET_EnableEventPipe=1 and DOTNET_EventPipeConfig=Microsoft-Windows-DotNETRuntime:1:4. Prints one line of JSON of all the files together.
//
//   pauses SINCE UNTIL FILE…     pauses that began within that time, in seconds since 1970; of the longest also how long it took to
//                                stop the threads, in which nothing is collected: some may be waiting for a processor
//
// A pause begins when the runtime sets out to stop the threads and ends when they go on, whatever it was for:
// https://learn.microsoft.com/dotnet/fundamentals/diagnostics/runtime-garbage-collection-events (GCSuspendEEBegin, GCSuspendEEEnd, GCRestartEEEnd).

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var (since, until) = (Time(args[0]), Time(args[1]));
var pauses = new List<(double Whole, double Stopping)>(); // in milliseconds
foreach (var file in args[2..])
{
    DateTime? begun = null;
    var stopped = DateTime.MinValue;
    using var source = new EventPipeEventSource(file);
    var runtime = new ClrTraceEventParser(source);
    runtime.GCSuspendEEStart += at => begun = at.TimeStamp.ToUniversalTime();
    runtime.GCSuspendEEStop += at => stopped = at.TimeStamp.ToUniversalTime();
    runtime.GCRestartEEStop += ended =>
    {
        if (begun is { } start && start >= since && start <= until)
        {
            pauses.Add(((ended.TimeStamp.ToUniversalTime() - start).TotalMilliseconds, (stopped - start).TotalMilliseconds));
        }
    };
    source.Process();
}

var longest = pauses.DefaultIfEmpty().MaxBy(pause => pause.Whole);
Console.WriteLine($$"""{"pauses":{{pauses.Count}},"pause_longest":{{longest.Whole:0.000}},"pause_longest_stopping":{{longest.Stopping:0.000}},"paused":{{pauses.Sum(pause => pause.Whole):0.000}}}""");
return;

static DateTime Time(string seconds) => DateTime.UnixEpoch.AddSeconds(double.Parse(seconds));
