using Microsoft.Diagnostics.Tracing;

namespace RpOrleans.RuntimeEvents;

/// <summary>What is looked for in what a runtime wrote down.</summary>
internal interface IFinding
{
    /// <summary>Listens to one process's events, of those between the two times.</summary>
    void Read(TraceEventDispatcher source, DateTime since, DateTime until);
}
