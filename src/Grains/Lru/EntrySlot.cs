using System.Runtime.InteropServices;

namespace RpOrleans.Grains.Lru;

// Without a reference in it: ten million of these are some thousand arrays that the garbage collector has nothing to look for in.
// The links are the numbers of other entries in the table, 0 for none. Without the packing it would be 56 bytes.

/// <summary>One entry as it lies in the <see cref="EntryTable"/>: all but its key and value, which lie in the <see cref="RecordLog"/>.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct EntrySlot
{
    /// <summary>Bytes that it takes.</summary>
    public const int Bytes = 52;

    /// <summary>The <see cref="Retention"/> of an entry that is retained for as long as any.</summary>
    public const byte WholeRetention = byte.MaxValue;

    private const int OffsetBits = 18;
    private const int UsesBits = 6;

    /// <summary>When the read that gave the value was sent.</summary>
    public long LoadedAt;

    /// <summary>When its life is over.</summary>
    public long ExpiresAt;

    /// <summary>The hash of its key.</summary>
    public uint Hash;

    /// <summary>The next entry of the same bucket of the <see cref="KeyIndex"/>.</summary>
    public int Next;

    /// <summary>The entry that was used next after this one.</summary>
    public int Newer;

    /// <summary>The entry that was used last before this one.</summary>
    public int Older;

    /// <summary>The next entry of the same bucket of the <see cref="TimerWheel"/>.</summary>
    public int NextInBucket;

    /// <summary>The previous entry of that bucket; for its first, the complement of the bucket's number.</summary>
    public int PreviousInBucket;

    /// <summary>The session under which it was read.</summary>
    public int Session;

    /// <summary>The segment of the log in which its record lies.</summary>
    public int Segment;

    private uint _packed;

    /// <summary>Where in the segment the record lies.</summary>
    public int Offset
    {
        readonly get => (int)(_packed & ((1u << OffsetBits) - 1));
        set => _packed = (_packed & ~((1u << OffsetBits) - 1)) | (uint)value;
    }

    /// <summary>How often it was asked for since it was loaded, as far as that matters to those who count.</summary>
    public byte Uses
    {
        readonly get => (byte)((_packed >> OffsetBits) & ((1u << UsesBits) - 1));
        set => _packed = (_packed & ~(((1u << UsesBits) - 1) << OffsetBits)) | ((value & ((1u << UsesBits) - 1)) << OffsetBits);
    }

    /// <summary>How much of the cache's retention it is retained for after its life, in 255ths. Of a minute, one is a quarter of a second.</summary>
    public byte Retention
    {
        readonly get => (byte)(_packed >> (OffsetBits + UsesBits));
        set => _packed = (_packed & ((1u << (OffsetBits + UsesBits)) - 1)) | ((uint)value << (OffsetBits + UsesBits));
    }

    /// <summary>When the entry is removed, however much space there is.</summary>
    /// <param name="wholeRetention">How long after its expiry an entry is retained at most.</param>
    public readonly long RetainedUntil(long wholeRetention)
    {
        var retained = wholeRetention * Retention / WholeRetention;
        return ExpiresAt > long.MaxValue - retained ? long.MaxValue : ExpiresAt + retained;
    }
}
