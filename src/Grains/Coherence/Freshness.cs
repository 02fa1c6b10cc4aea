namespace RpOrleans.Grains.Coherence;

/// <summary>What it rests on that a copy is still what Redis holds.</summary>
public enum Freshness : byte
{
    /// <summary>Nothing: Redis may have changed it since, and only <c>RECORD_EXPIRY</c> bounds its age.</summary>
    Unconfirmed,

    /// <summary>Redis tells of each change, and has confirmed lately that it has told of all.</summary>
    Tracking,

    /// <summary><c>RECORD_EXPIRY</c>, with a Redis that cannot tell of changes or is not asked to.</summary>
    Expiry,

    /// <summary>Nothing, and its life is over: only <c>STALE_IF_ERROR</c> beyond that bounds its age. Of copies alone; what new ones rest on is never this.</summary>
    Expired,
}
