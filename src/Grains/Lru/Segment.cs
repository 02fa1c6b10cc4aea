namespace RpOrleans.Grains.Lru;

/// <summary>A piece of the <see cref="RecordLog"/>.</summary>
internal struct Segment
{
    /// <summary>The records; <see langword="null"/> for a segment that was let go.</summary>
    public byte[]? Bytes;

    /// <summary>Bytes of records that were written.</summary>
    public int Used;

    /// <summary>Bytes of records that entries still have.</summary>
    public int Live;

    /// <summary>Its rank among those that may be compacted; -1 for one that is not among them.</summary>
    public int Rank;

    /// <summary>The next of the same rank, or the next of those that were let go.</summary>
    public int Next;

    /// <summary>The previous of the same rank.</summary>
    public int Previous;
}
