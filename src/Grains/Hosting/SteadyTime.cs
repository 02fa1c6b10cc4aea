namespace RpOrleans.Grains.Hosting;

/// <summary>
/// A time of day that never jumps: what it was at first, and how long ago that is by the monotonic clock. Orleans waits for the
/// next reading of the membership table, and for the next probe of another silo, until a time of day: set back by an hour, it
/// would see nobody come or die for an hour (docs/decisions/0019).
/// </summary>
/// <param name="clock">The clock.</param>
internal sealed class SteadyTime(TimeProvider clock) : TimeProvider
{
    private readonly DateTimeOffset _began = clock.GetUtcNow();
    private readonly long _beganAt = clock.GetTimestamp();

    public override long TimestampFrequency => clock.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => _began + clock.GetElapsedTime(_beganAt);

    public override long GetTimestamp() => clock.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => clock.CreateTimer(callback, state, dueTime, period);
}
