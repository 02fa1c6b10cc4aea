using System.Diagnostics;

namespace RpOrleans.Memory;

/// <summary>A thread that notices when nothing goes on.</summary>
internal sealed class PauseWatch : IDisposable
{
    private static readonly TimeSpan _sleep = TimeSpan.FromMilliseconds(1);

    private readonly Lock _lock = new();
    private readonly Thread _thread;
    private volatile bool _ended;
    private TimeSpan _collector;
    private TimeSpan _lateness;
    private int _collections;

    public PauseWatch()
    {
        _thread = new Thread(Watch) { IsBackground = true, Priority = ThreadPriority.Highest };
        _thread.Start();
    }

    /// <summary>The longest pauses since this was asked.</summary>
    public (TimeSpan Collector, TimeSpan Lateness, int Collections) Take()
    {
        lock (_lock)
        {
            var taken = (_collector, _lateness, GC.CollectionCount(GC.MaxGeneration) - _collections);
            (_collector, _lateness, _collections) = (default, default, GC.CollectionCount(GC.MaxGeneration));
            return taken;
        }
    }

    public void Dispose()
    {
        _ended = true;
        _thread.Join();
    }

    private void Watch()
    {
        var (paused, woke) = (GC.GetTotalPauseDuration(), Stopwatch.GetTimestamp());
        while (!_ended)
        {
            Thread.Sleep(_sleep);
            var (pausedNow, now) = (GC.GetTotalPauseDuration(), Stopwatch.GetTimestamp());
            lock (_lock)
            {
                _collector = Max(_collector, pausedNow - paused);
                _lateness = Max(_lateness, Stopwatch.GetElapsedTime(woke, now) - _sleep);
            }

            (paused, woke) = (pausedNow, now);
        }
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
