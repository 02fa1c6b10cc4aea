namespace RpOrleans.Checker.Judging;

// A key's states in their order: version v is state 2v, "v has expired" is 2v + 1, and 0 is "nothing was written yet". Since a
// key has one writer at a time, its versions took effect in their order, each between its start and its end, and all that is
// unsure is the moment. A state is over when a later write has certainly taken effect.

/// <summary>What one key went through, as far as its writers know.</summary>
internal sealed class Versions
{
    private readonly Write[] _writes;
    private readonly TimeSpan[] _bounds;
    private readonly Rules _rules;

    public Versions(Write[] writes, Rules rules, Spans disturbed)
    {
        (_writes, _rules) = (writes, rules);

        // What a gateway acknowledged is seen at once (row 2), or within the bound where who owns it was not agreed (row 3); what
        // Redis acknowledged, and what nobody acknowledged but Redis holds, within the bound for outside writes (row 1).
        _bounds = [.. writes.Select(write =>
            !write.Promised ? rules.OutsideBound
            : disturbed.Touch(write.Start, write.End) ? rules.DisturbedBound
            : TimeSpan.Zero)];
    }

    public int Count => _writes.Length;

    public Write this[int version] => _writes[version - 1];

    /// <summary>The oldest version that a read may see: the last one that certainly took effect, by as long before the read as is promised.</summary>
    /// <returns>Its number; 0 when there is none.</returns>
    public int Floor(Read read)
    {
        var floor = Floor(read.Start, version =>
            read.Form == ReadForm.Direct ? TimeSpan.Zero
            : read.Marked ? _rules.UtmostBound
            : _bounds[version - 1]);
        return read.Behind > floor && !read.Marked && _bounds[read.Behind - 1] == TimeSpan.Zero ? read.Behind : floor;
    }

    /// <summary>The last version that a gateway had acknowledged when a read began.</summary>
    public int Acknowledged(Read read)
    {
        var version = EndedBefore(read.Start);
        while (version > 0 && !this[version].Promised)
        {
            version--;
        }

        return version;
    }

    /// <summary>The first write after a version that certainly took effect.</summary>
    /// <returns>Its number; 0 when there is none.</returns>
    public int Next(int version)
    {
        for (var next = version + 1; next <= Count; next++)
        {
            if (this[next].Certain)
            {
                return next;
            }
        }

        return 0;
    }

    /// <summary>The states in which there was nothing to read: never written, deleted, or expired.</summary>
    /// <returns>The first and the last that a read can have met; <see langword="null"/> when the key was there throughout.</returns>
    public (int First, int Last)? Absences(Read read, int floor)
    {
        (int First, int Last)? met = null;
        for (var version = floor; version <= Count && (version == 0 || this[version].Start <= read.End); version++)
        {
            int? state = version == 0 ? 0
                : this[version] is { Outcome: Outcome.Never } ? null
                : this[version] is { Deletes: true } ? 2 * version
                : MayHaveExpired(version, read.End) ? (2 * version) + 1
                : null;
            if (state is { } absent)
            {
                met = (met?.First ?? absent, absent);
            }
        }

        return met;
    }

    /// <summary>Whether a version was certainly gone from Redis, for its time to live was over, when a read began.</summary>
    public bool HasExpired(int version, Read read) =>
        this[version] is { TimeToLive.Ticks: > 0, Outcome: not Outcome.Unsettled } write
        && read.Start > write.End + write.TimeToLive + _rules.ClockSlack + (read.Marked ? _rules.StaleIfError : TimeSpan.Zero);

    private bool MayHaveExpired(int version, TimeSpan until)
    {
        if (this[version] is not { TimeToLive.Ticks: > 0 } write)
        {
            return false;
        }

        var earliest = write.Start + write.TimeToLive - _rules.ClockSlack;
        return earliest <= until && (Next(version) is 0 || this[Next(version)].End >= earliest);
    }

    private int Floor(TimeSpan start, Func<int, TimeSpan> bound)
    {
        // Few steps: as many as there are writes within a bound.
        var version = EndedBefore(start);
        while (version > 0 && !(this[version].Certain && this[version].End + bound(version) < start))
        {
            version--;
        }

        return version;
    }

    /// <summary>The last version whose writing had ended before a moment.</summary>
    private int EndedBefore(TimeSpan moment)
    {
        var (low, high) = (0, Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _writes[middle].End < moment ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
