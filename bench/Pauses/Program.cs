using System.Globalization;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Parsers;

// Tells how long the runtime of a .NET process held all of its threads, from what it wrote down itself: it was started with
// DOTNET_EnableEventPipe=1 and DOTNET_EventPipeConfig=Microsoft-Windows-DotNETRuntime:1:4. Prints one line of JSON of all the files together.
//
//   pauses SINCE UNTIL FILE…     pauses that began within that time, in seconds since 1970
//
// A pause begins when the runtime sets out to stop the threads and ends when they go on, whatever it was for:
// https://learn.microsoft.com/dotnet/fundamentals/diagnostics/runtime-garbage-collection-events (GCSuspendEEBegin, GCRestartEEEnd).

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var (since, until) = (Time(args[0]), Time(args[1]));
var pauses = new List<double>(); // in milliseconds
foreach (var file in args[2..])
{
    DateTime? stopped = null;
    using var source = new EventPipeEventSource(file);
    var runtime = new ClrTraceEventParser(source);
    runtime.GCSuspendEEStart += begun => stopped = begun.TimeStamp.ToUniversalTime();
    runtime.GCRestartEEStop += ended =>
    {
        if (stopped is { } begun && begun >= since && begun <= until)
        {
            pauses.Add((ended.TimeStamp.ToUniversalTime() - begun).TotalMilliseconds);
        }
    };
    source.Process();
}

pauses.Sort();
Console.WriteLine($$"""{"pauses":{{pauses.Count}},"pause_longest":{{(pauses.Count > 0 ? pauses[^1] : 0):0.000}},"paused":{{pauses.Sum():0.000}}}""");
return;

static DateTime Time(string seconds) => DateTime.UnixEpoch.AddSeconds(double.Parse(seconds));
