using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Parsers;

namespace RpOrleans.RuntimeEvents;

/// <summary>
/// Pauses that began within the time. One begins when the runtime sets out to stop the threads and ends when they go on, whatever it was for:
/// https://learn.microsoft.com/dotnet/fundamentals/diagnostics/runtime-garbage-collection-events (GCSuspendEEBegin, GCSuspendEEEnd, GCRestartEEEnd).
/// </summary>
internal sealed class Pauses : IFinding
{
    private readonly List<(double Whole, double Stopping)> _pauses = []; // in milliseconds; in the time of stopping nothing is collected: some threads may be waiting for a processor

    public void Read(TraceEventDispatcher source, DateTime since, DateTime until)
    {
        DateTime? begun = null;
        var stopped = DateTime.MinValue;
        var runtime = new ClrTraceEventParser(source);
        runtime.GCSuspendEEStart += at => begun = at.TimeStamp.ToUniversalTime();
        runtime.GCSuspendEEStop += at => stopped = at.TimeStamp.ToUniversalTime();
        runtime.GCRestartEEStop += ended =>
        {
            if (begun is { } start && start >= since && start <= until)
            {
                _pauses.Add(((ended.TimeStamp.ToUniversalTime() - start).TotalMilliseconds, (stopped - start).TotalMilliseconds));
            }
        };
    }

    public override string ToString()
    {
        var longest = _pauses.DefaultIfEmpty().MaxBy(pause => pause.Whole);
        return $$"""{"pauses":{{_pauses.Count}},"pause_longest":{{longest.Whole:0.000}},"pause_longest_stopping":{{longest.Stopping:0.000}},"paused":{{_pauses.Sum(pause => pause.Whole):0.000}}}""";
    }
}
