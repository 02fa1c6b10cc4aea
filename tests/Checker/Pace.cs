namespace RpOrleans.Checker;

/// <summary>Goes by the clock and does not catch up: a run loads the machine moderately, and more moderately when it is busy.</summary>
internal sealed class Pace(TimeSpan period)
{
    private TimeSpan _due = Clock.Now;

    public async Task NextAsync()
    {
        var now = Clock.Now;
        _due = _due + period > now ? _due + period : now;
        if (_due > now)
        {
            await Task.Delay(_due - now);
        }
    }
}
