using Microsoft.Extensions.Time.Testing;

namespace RpOrleans.Tests.Support;

/// <summary>
/// A clock that is moved by hand, for a whole Orleans silo. That waits for times of day by timers of whole milliseconds, and for
/// the rest of one by asking for the time in a loop, which would never end: so the time of day is a microsecond later
/// each time it is asked for. What is measured by timestamps stands still.
/// </summary>
internal sealed class TimeInHand : FakeTimeProvider
{
    private long _asked;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddMicroseconds(Interlocked.Increment(ref _asked));

    public override long GetTimestamp() => base.GetUtcNow().Ticks;
}
