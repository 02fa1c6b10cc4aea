namespace RpOrleans.Checker.Judging;

/// <summary>Stretches of time, to be asked what falls into them.</summary>
internal sealed class Spans
{
    private readonly List<Span> _apart = [];

    /// <param name="spans">They may overlap.</param>
    public Spans(IEnumerable<Span> spans)
    {
        foreach (var span in spans.OrderBy(span => span.Start))
        {
            if (_apart.Count > 0 && _apart[^1].End >= span.Start)
            {
                _apart[^1] = new Span(_apart[^1].Start, span.End > _apart[^1].End ? span.End : _apart[^1].End);
            }
            else
            {
                _apart.Add(span);
            }
        }
    }

    public TimeSpan Total => new(_apart.Sum(span => (span.End - span.Start).Ticks));

    public bool Touch(TimeSpan start, TimeSpan end) => First(start) is var at && at < _apart.Count && _apart[at].Start <= end;

    /// <summary>How much of a stretch falls into them.</summary>
    public TimeSpan Share(TimeSpan start, TimeSpan end)
    {
        var share = TimeSpan.Zero;
        for (var at = First(start); at < _apart.Count && _apart[at].Start < end; at++)
        {
            share += (_apart[at].End < end ? _apart[at].End : end) - (_apart[at].Start > start ? _apart[at].Start : start);
        }

        return share;
    }

    /// <summary>The first that does not end before a moment.</summary>
    private int First(TimeSpan moment)
    {
        var (low, high) = (0, _apart.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _apart[middle].End < moment ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
