namespace RpOrleans.Checker.Judging;

/// <summary>Whether a write took effect.</summary>
internal enum Outcome : byte
{
    /// <summary>Nobody knows: it may take effect at any time.</summary>
    Unsettled,

    /// <summary>It was acknowledged.</summary>
    Acknowledged,

    /// <summary>It was answered with an error or not at all, and was found in Redis afterwards.</summary>
    Settled,

    /// <summary>The same, and had expired by then if it was ever there: it may have been there for its time to live, or not.</summary>
    Perhaps,

    /// <summary>The same, and was not there afterwards: it never took effect, and never will.</summary>
    Never,
}

/// <summary>How a write was sent.</summary>
internal enum WriteForm : byte
{
    AtRedis,
    Http,

    /// <summary>SET or DEL alone, as all that follow in the Redis protocol: the gateway passes them through.</summary>
    Resp,

    /// <summary>One of several that were sent together, with reads between them.</summary>
    Pipeline,

    /// <summary>One of several between MULTI and EXEC.</summary>
    Transaction,
}

/// <summary>A version of a key.</summary>
/// <param name="Start">When the writer sent it.</param>
/// <param name="End">From when on it has certainly taken effect: when it was acknowledged, or found in Redis.</param>
/// <param name="Took">How long the writer waited for its answer.</param>
/// <param name="Key">The key's number.</param>
/// <param name="Version">Its number among those of its key, from 1.</param>
/// <param name="Gateway">The gateway that it went through, or <see cref="History.Redis"/>.</param>
/// <param name="Deletes">Whether it took the key away.</param>
/// <param name="TimeToLive">How long the value lives in Redis; zero for ever.</param>
/// <param name="Outcome">Whether it took effect.</param>
/// <param name="Status">The HTTP status, or what it would be of a reply in the Redis protocol; 0 for none.</param>
/// <param name="Form">How it was sent.</param>
internal readonly record struct Write(
    TimeSpan Start, TimeSpan End, TimeSpan Took, ushort Key, int Version, byte Gateway, bool Deletes, TimeSpan TimeToLive, Outcome Outcome, short Status, WriteForm Form)
{
    /// <summary>Whether it certainly took effect, by its <see cref="End"/>.</summary>
    public bool Certain => Outcome is Outcome.Acknowledged or Outcome.Settled;

    /// <summary>Whether it was acknowledged by a gateway, which promises more than Redis does.</summary>
    public bool Promised => Outcome == Outcome.Acknowledged && Gateway != History.Redis;

    /// <summary>Whether the gateway had Redis itself carry it out.</summary>
    public bool Passed => Form is WriteForm.Resp or WriteForm.Pipeline or WriteForm.Transaction;
}
