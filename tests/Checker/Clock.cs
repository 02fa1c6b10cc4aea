using System.Diagnostics;

namespace RpOrleans.Checker;

/// <summary>The one clock of a run; it is monotonic, and begins with the program.</summary>
internal static class Clock
{
    private static readonly long _began = Stopwatch.GetTimestamp();

    public static TimeSpan Now => Stopwatch.GetElapsedTime(_began);
}
