namespace RpOrleans.Checker.Judging;

/// <summary>What was promised and not kept. Numbers of rows are those of PROTOCOL.md, "What holds"; I1 to I7 and the times are of FAULTS.md.</summary>
internal enum Rule
{
    /// <summary>The value of another key (I1).</summary>
    OtherKey,

    /// <summary>A value that nobody wrote, torn or made up (I1).</summary>
    Malformed,

    /// <summary>A version before it was written, or one that Redis never took.</summary>
    NeverWritten,

    /// <summary>Older than a write that a gateway had acknowledged before (row 2; row 3 and, in expiry mode, the end of row 2 where it was disturbed).</summary>
    OlderThanAcknowledged,

    /// <summary>Older than a change at Redis by more than the bound (row 1).</summary>
    OlderThanOutsideWrite,

    /// <summary>Older than anything may be, though marked (row 5).</summary>
    OlderThanUtmost,

    /// <summary>A value whose time to live in Redis was over (CONTRACT.md, "How fresh").</summary>
    Expired,

    /// <summary>404 for a key that was there throughout (I2).</summary>
    AbsentThoughThere,

    /// <summary>Older than what the same gateway had answered before (row 4).</summary>
    Backwards,

    /// <summary>HTTP 500 (I7).</summary>
    InternalError,

    /// <summary>A status that nothing in a run gives a reason for.</summary>
    UnexpectedStatus,

    /// <summary>A connection that broke, or was not accepted, at a gateway that nobody told to stop (I5).</summary>
    NoAnswer,

    /// <summary>An answer later than promised.</summary>
    Late,

    /// <summary>An answer marked unconfirmed, with <c>COHERENCE=tracking</c>.</summary>
    Marked,

    /// <summary>An answer that says itself that it is older than anything may be.</summary>
    AgeBeyondUtmost,

    /// <summary>Redis itself does not hold what it must: a write took effect late, twice, or was lost.</summary>
    RedisDiffers,
}

/// <summary>A promise that was not kept.</summary>
/// <param name="Rule">Which.</param>
/// <param name="Key">The key's number.</param>
/// <param name="At">When.</param>
/// <param name="Read">The read, if it was one; else <see cref="Write"/>.</param>
/// <param name="Write">The write.</param>
/// <param name="Version">The version that should have been seen at least, where that is what is wrong.</param>
internal readonly record struct Violation(Rule Rule, ushort Key, TimeSpan At, Read? Read, Write? Write = null, int Version = 0);
