namespace RpOrleans.Grains.Lru;

/// <summary>A key's value, when it was read, and until when it may be served.</summary>
/// <param name="key">The key. Never written to.</param>
/// <param name="value">The value. Never written to.</param>
/// <param name="loadedAt">When the read that gave it was sent.</param>
/// <param name="expiresAt">When its life is over.</param>
/// <param name="session">The session under which it was read.</param>
/// <param name="retention">How much of the cache's retention it is retained for after that.</param>
internal sealed class Entry(byte[] key, byte[]? value, long loadedAt, long expiresAt, int session = 0, byte retention = 0)
{
    /// <summary>The <c>retention</c> of an entry that is retained for as long as any.</summary>
    public const byte WholeRetention = byte.MaxValue;

    // What an entry really takes on a 64-bit runtime, all of it, so that a limit in bytes is one in memory:
    //   this object: header and type 16, six references 48, two timestamps 16, session, bucket, uses and retention 8: 88;
    //   two arrays: header, type and length 24 each, their bytes rounded up to 8;
    //   its place in the dictionary: 24 and 4 for the bucket, of which there are 1 to 2 for each entry, since it doubles: 1.5.
    private const int ObjectSize = 88;
    private const int ArrayHeaderSize = 24;
    private const int DictionarySize = 28 * 3 / 2;

    // Eight bytes with the session: a bucket's number needs ten bits. Of a retention of a minute, a 255th is a quarter of a second.
    private readonly byte _retention = retention;
    private ushort _bucket;

    /// <summary>The key. Not to be written to.</summary>
    public byte[] Key { get; } = key;

    /// <summary>The value; <see langword="null"/> when Redis has no such key. Not to be written to.</summary>
    public byte[]? Value { get; } = value;

    /// <summary>The number of the session under which the value was read: it is confirmed only in that one.</summary>
    public int Session { get; } = session;

    /// <summary>When the read that gave the value was sent, as a timestamp of the cache's <see cref="TimeProvider"/>.</summary>
    public long LoadedAt { get; } = loadedAt;

    /// <summary>When the entry's life is over, as a timestamp of the same clock: from then on it is not fresh, and served only where Redis fails.</summary>
    public long ExpiresAt { get; } = expiresAt;

    /// <summary>How often it was asked for since it was loaded, as far as that matters to those who count.</summary>
    public byte Uses { get; set; }

    /// <summary>Bytes of memory that the entry takes.</summary>
    public long Size => SizeOf(Key.Length, Value?.Length ?? 0);

    // The lists run through the entries themselves: leaving one is a matter of four references, and allocates nothing.

    /// <summary>The entry that was used next after this one; <see langword="null"/> for the most recent.</summary>
    internal Entry? Newer { get; set; }

    /// <summary>The entry that was used last before this one; <see langword="null"/> for the least recent.</summary>
    internal Entry? Older { get; set; }

    /// <summary>The bucket of the timer wheel that holds the entry.</summary>
    internal int Bucket
    {
        get => _bucket;
        set => _bucket = (ushort)value;
    }

    /// <summary>The next entry in that bucket.</summary>
    internal Entry? NextInBucket { get; set; }

    /// <summary>The previous entry in that bucket; <see langword="null"/> for its first.</summary>
    internal Entry? PreviousInBucket { get; set; }

    /// <summary>When the entry is removed, however much space there is.</summary>
    /// <param name="wholeRetention">How long after its expiry an entry is retained at most.</param>
    internal long RetainedUntil(long wholeRetention)
    {
        var retained = wholeRetention * _retention / WholeRetention;
        return ExpiresAt > long.MaxValue - retained ? long.MaxValue : ExpiresAt + retained;
    }

    /// <summary>Bytes of memory that an entry with a key and a value of these lengths takes.</summary>
    public static long SizeOf(int keyLength, int valueLength) =>
        ObjectSize + ArraySize(keyLength) + ArraySize(valueLength) + DictionarySize;

    private static long ArraySize(int length) => ArrayHeaderSize + ((length + 7L) & ~7L);
}
