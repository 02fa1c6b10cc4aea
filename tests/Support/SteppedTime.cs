using Microsoft.Extensions.Time.Testing;

namespace RpOrleans.Tests.Support;

/// <summary>
/// A clock that moves only from one timer to the next, and only when somebody waits for one: what runs meanwhile takes no
/// time, however busy the machine is.
/// </summary>
internal sealed class SteppedTime : FakeTimeProvider
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Timer, DateTimeOffset> _due = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this);
        timer.Inner = base.CreateTimer(
            _ =>
            {
                timer.Forget();
                callback(state);
            },
            null, dueTime, period);
        timer.Remember(dueTime);
        return timer;
    }

    /// <summary>Goes on from timer to timer until it is so.</summary>
    public async Task RunUntilAsync(Func<bool> condition)
    {
        var patience = DateTime.UtcNow.AddSeconds(20);
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < patience, "It did not happen.");
            DateTimeOffset? next;
            lock (_gate)
            {
                next = _due.Count == 0 ? null : _due.Values.Min();
            }

            if (next is { } due)
            {
                SetUtcNow(due > GetUtcNow() ? due : GetUtcNow());
            }

            await Task.Delay(1); // real time: lets run what the timer set off
        }
    }

    private sealed class Timer(SteppedTime time) : ITimer
    {
        public ITimer? Inner { get; set; }

        public void Remember(TimeSpan dueTime)
        {
            lock (time._gate)
            {
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    time._due[this] = time.GetUtcNow() + dueTime;
                }
            }
        }

        public void Forget()
        {
            lock (time._gate)
            {
                time._due.Remove(this);
            }
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Forget();
            Remember(dueTime);
            return Inner!.Change(dueTime, period);
        }

        public void Dispose()
        {
            Forget();
            Inner!.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Forget();
            return Inner!.DisposeAsync();
        }
    }
}
