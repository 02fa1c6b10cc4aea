namespace RpOrleans.Checker;

/// <summary>Whether a fault is going on, and since when none is.</summary>
internal sealed class Calm
{
    private long _since;

    /// <summary>Since when there is none; <see langword="null"/> while there is one.</summary>
    public TimeSpan? Since => Interlocked.Read(ref _since) is >= 0 and var ticks ? new TimeSpan(ticks) : null;

    public void Begin() => Interlocked.Exchange(ref _since, Clock.Now.Ticks);

    public void End() => Interlocked.Exchange(ref _since, -1);
}
