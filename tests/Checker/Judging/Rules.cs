namespace RpOrleans.Checker.Judging;

/// <summary>What freshness rests on (<c>COHERENCE</c>).</summary>
internal enum Mode
{
    /// <summary>Nothing is said about it: the processes know <c>RECORD_EXPIRY</c> alone.</summary>
    None,
    Expiry,
    Auto,
    Tracking,
}

/// <summary>What is promised, in figures.</summary>
// They follow from PROTOCOL.md, "What holds", and FAULTS.md; in expiry mode RECORD_EXPIRY stands where B stands there.
internal sealed record Rules
{
    /// <summary>How long after a change made at Redis the older version may be served, unmarked: row 1.</summary>
    public required TimeSpan OutsideBound { get; init; }

    /// <summary>
    /// The same after a write that a gateway acknowledged while views did not agree: row 3; in expiry mode "unless the owner
    /// could not be reached; then RECORD_EXPIRY". Otherwise there is no such time: row 2.
    /// </summary>
    public required TimeSpan DisturbedBound { get; init; }

    /// <summary>What holds always, of marked answers too: row 5, RECORD_EXPIRY + STALE_IF_ERROR.</summary>
    public required TimeSpan UtmostBound { get; init; }

    /// <summary>How long past the time to live that it has in Redis a value may be served, marked.</summary>
    public TimeSpan StaleIfError { get; init; }

    /// <summary>Whether an answer may be marked at all: with <c>COHERENCE=tracking</c> nothing unconfirmed is served.</summary>
    public bool MayMark { get; init; } = true;

    /// <summary>No read is answered later, whatever fails.</summary>
    public TimeSpan LatestRead { get; init; } = TimeSpan.FromMilliseconds(1_050);

    /// <summary>A read that took longer may have been answered by another than the owner, who was too slow.</summary>
    public TimeSpan OwnersShare { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>No write is answered later, whatever fails.</summary>
    public TimeSpan LatestWrite { get; init; } = TimeSpan.FromMilliseconds(1_550);

    /// <summary>Redis counts time to live by the wall clock, in whole milliseconds; the checker by a monotonic one.</summary>
    public TimeSpan ClockSlack { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <param name="mode">What freshness rests on.</param>
    /// <param name="outsideBound">The bound that is judged for outside writes.</param>
    /// <param name="coherenceBound"><c>COHERENCE_BOUND</c>.</param>
    /// <param name="recordExpiry"><c>RECORD_EXPIRY</c>.</param>
    public static Rules For(Mode mode, TimeSpan outsideBound, TimeSpan coherenceBound, TimeSpan recordExpiry) => new()
    {
        OutsideBound = outsideBound,
        DisturbedBound = mode is Mode.None or Mode.Expiry ? recordExpiry : coherenceBound,
        UtmostBound = recordExpiry,
        MayMark = mode != Mode.Tracking,
        LatestWrite = TimeSpan.FromMilliseconds(1_050) + coherenceBound,
    };
}
