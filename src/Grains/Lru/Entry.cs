namespace RpOrleans.Grains.Lru;

/// <summary>A key's value, when it was read, and until when it may be served: what the cache held of a key at the moment in which it was asked.</summary>
/// <param name="number">The entry's number.</param>
/// <param name="slot">Where it lies.</param>
/// <param name="record">Its key and value.</param>
// The bytes are those that the cache holds, not a copy: they are never written over (RecordLog), so they stay what they are when
// the entry has left, for as long as anyone looks at them.
internal readonly struct Entry(int number, in EntrySlot slot, Record record)
{
    /// <summary>The key.</summary>
    public ReadOnlyMemory<byte> Key => record.Key;

    /// <summary>The value; empty when Redis has no such key.</summary>
    public ReadOnlyMemory<byte> Value => record.Value;

    /// <summary>Whether Redis has no such key.</summary>
    public bool Absent => record.Absent;

    /// <summary>The number of the session under which the value was read: it is confirmed only in that one.</summary>
    public int Session { get; } = slot.Session;

    /// <summary>When the read that gave the value was sent, as a timestamp of the cache's <see cref="TimeProvider"/>.</summary>
    public long LoadedAt { get; } = slot.LoadedAt;

    /// <summary>When the entry's life is over, as a timestamp of the same clock: from then on it is not fresh, and served only where Redis fails.</summary>
    public long ExpiresAt { get; } = slot.ExpiresAt;

    /// <summary>How often it was asked for since it was loaded, as far as that matters to those who count.</summary>
    public byte Uses { get; } = slot.Uses;

    /// <summary>The entry's number in the cache, until the next that comes or leaves.</summary>
    internal int Number => number;

    /// <summary>Bytes of memory that an entry with a key and a value of these lengths takes: its slot, its bucket of the index, and its record.</summary>
    public static long SizeOf(int keyLength, int valueLength) =>
        EntrySlot.Bytes + sizeof(int) + RecordLog.SizeOf(Record.SizeOf(keyLength, valueLength));
}
