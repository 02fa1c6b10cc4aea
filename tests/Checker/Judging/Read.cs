namespace RpOrleans.Checker.Judging;

/// <summary>What a read came to.</summary>
internal enum ReadOutcome : byte
{
    /// <summary>A value that was written for the key, whole; its version is known.</summary>
    Value,

    /// <summary>404, or nil.</summary>
    Absent,

    /// <summary>Another status.</summary>
    Error,

    /// <summary>No answer: the connection broke or could not be made.</summary>
    NoAnswer,

    /// <summary>A value of another key.</summary>
    OtherKey,

    /// <summary>Something that nobody wrote.</summary>
    Malformed,
}

/// <summary>What an answer says of where it comes from (<c>X-Cache</c>).</summary>
internal enum CacheWord : byte
{
    None,
    Hit,
    Miss,
    Stale,
    Negative,
    Bypass,
}

/// <summary>How a read was asked.</summary>
internal enum ReadForm : byte
{
    Raw,
    Json,
    Batch,

    /// <summary>GET, as all that follow in the Redis protocol, in which no answer can be marked.</summary>
    Get,
    MGet,

    /// <summary>One of several that were sent together.</summary>
    Pipeline,

    /// <summary>The same, behind writes.</summary>
    BehindWrites,

    /// <summary>Of Redis itself: how the checker makes sure that it knows what is there.</summary>
    Direct,
}

/// <summary>One answer about one key.</summary>
/// <param name="Start">When it was asked for.</param>
/// <param name="Took">How long it took, until all of it was there.</param>
/// <param name="Version">The version seen; 0 when none was.</param>
/// <param name="Key">The key's number.</param>
/// <param name="Status">The HTTP status, in a batch the key's own, or what it would be of a reply in the Redis protocol; 0 for none.</param>
/// <param name="Gateway">The gateway's number, or <see cref="History.Redis"/>.</param>
/// <param name="Outcome">What it came to.</param>
/// <param name="Word">What it says of where it comes from.</param>
/// <param name="Form">How it was asked.</param>
/// <param name="Marked">Whether it says that it is stale or unconfirmed.</param>
/// <param name="Age">Its age in seconds, where it says so; else 0.</param>
/// <param name="Behind">The version whose writing was acknowledged in front of it, over the same connection; 0 for none.</param>
// As large as it must be: a run of ten minutes has millions.
internal readonly record struct Read(
    TimeSpan Start, TimeSpan Took, int Version, ushort Key, short Status, byte Gateway, ReadOutcome Outcome, CacheWord Word, ReadForm Form, bool Marked, ushort Age, int Behind = 0)
{
    public TimeSpan End => Start + Took;

    /// <summary>Whether it was asked in the Redis protocol.</summary>
    public bool ByResp => Form is ReadForm.Get or ReadForm.MGet or ReadForm.Pipeline or ReadForm.BehindWrites;
}
