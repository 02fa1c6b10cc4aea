using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Parsers;

namespace RpOrleans.RuntimeEvents;

/// <summary>
/// What was allocated: the runtime tells each time that another 100 KB have been, and of the object that came then
/// (https://learn.microsoft.com/dotnet/fundamentals/diagnostics/runtime-garbage-collection-events, GCAllocationTick), so that types are a sample.
/// </summary>
internal sealed class Allocations : IFinding
{
    private readonly Dictionary<string, long> _bytes = [];

    public void Read(TraceEventDispatcher source, DateTime since, DateTime until) =>
        new ClrTraceEventParser(source).GCAllocationTick += tick =>
        {
            if (tick.TimeStamp.ToUniversalTime() is var at && at >= since && at <= until)
            {
                _bytes[tick.TypeName] = _bytes.GetValueOrDefault(tick.TypeName) + tick.AllocationAmount64;
            }
        };

    public override string ToString() =>
        string.Join('\n', _bytes.OrderByDescending(type => type.Value).Select(type => $"{type.Value} {type.Key}").Prepend($"{_bytes.Values.Sum()} in all"));
}
