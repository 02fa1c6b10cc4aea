using System.Diagnostics;

namespace RpOrleans.Memory;

/// <summary>A thread that notices when nothing goes on.</summary>
internal sealed class PauseWatch : IDisposable
{
    private static readonly TimeSpan _sleep = TimeSpan.FromMilliseconds(1);

    private readonly Lock _lock = new();
    private readonly Thread _thread;
    private readonly List<TimeSpan> _pauses = [];
    private volatile bool _ended;
    private TimeSpan _lateness;

    public PauseWatch()
    {
        _thread = new Thread(Watch) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>The pauses for the garbage collector since this was asked, the longest last, and by how much a sleeping thread woke too late.</summary>
    public (List<TimeSpan> Pauses, TimeSpan Lateness) Take()
    {
        lock (_lock)
        {
            var taken = (_pauses.Order().ToList(), _lateness);
            _pauses.Clear();
            _lateness = default;
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
            Thread.Sleep(_sleep); // not to wait for anything: how much longer it takes is what is measured
            var (pausedNow, now) = (GC.GetTotalPauseDuration(), Stopwatch.GetTimestamp());
            lock (_lock)
            {
                if (pausedNow > paused)
                {
                    _pauses.Add(pausedNow - paused);
                }

                var late = Stopwatch.GetElapsedTime(woke, now) - _sleep;
                _lateness = late > _lateness ? late : _lateness;
            }

            (paused, woke) = (pausedNow, now);
        }
    }
}
