using System.Diagnostics.CodeAnalysis;

namespace RpOrleans.Grains.Lru;

// A dictionary finds an entry; a list through the entries keeps them in the order of their use, so that the least recent is at
// hand when space is needed; a timer wheel keeps them in the order of their expiry, so that memory comes back without
// anyone asking for what has expired. Each operation is O(1), RemoveWhere apart. The price is strictness: every hit
// moves its entry, where caches that only approximate the order get by with a mark.
//
// Where a retention is set, an entry that has expired is not found any more but stays for that long, in its place in the
// order, for those who ask for it by TryGetRetained. It takes space like any other, and is evicted like any other.

/// <summary>The keys one node currently holds, ordered from most to least recently used.</summary>
/// <param name="maximumEntries">Most entries that are held; one more evicts the least recently used.</param>
/// <param name="maximumBytes">Most bytes that they may take: keys, values and overhead.</param>
/// <param name="time">The clock by which entries expire.</param>
/// <param name="retention">How long an entry is retained after its expiry, at most.</param>
// No lock: the owning grain runs one turn at a time, and nothing here awaits. Other threads may read the figures, not more.
internal sealed class LruCache(int maximumEntries, long maximumBytes, TimeProvider time, TimeSpan retention = default)
{
    private readonly long _retention = (long)(retention.TotalSeconds * time.TimestampFrequency);
    private Dictionary<byte[], Entry> _entries = new(KeyComparer.Instance);
    private TimerWheel _wheel = NewWheel(time, retention);
    private Entry? _newest;
    private Entry? _oldest;

    /// <summary>Entries held now, among them those that have expired and are retained, or were not asked for or swept since.</summary>
    public int Count => _entries.Count;

    /// <summary>Bytes that they take: keys, values and overhead.</summary>
    public long Bytes { get; private set; }

    /// <summary>Entries that may be held at most.</summary>
    public int MaximumEntries { get; } = maximumEntries >= 1
        ? maximumEntries
        : throw new ArgumentOutOfRangeException(nameof(maximumEntries), maximumEntries, "A cache holds at least one entry.");

    /// <summary>Bytes that they may take at most.</summary>
    public long MaximumBytes { get; } = maximumBytes;

    /// <summary>Entries that left for want of space so far.</summary>
    public long Evictions { get; private set; }

    /// <summary>Entries that left because their life was over so far.</summary>
    public long Expirations { get; private set; }

    /// <summary>Told of every entry that leaves, after it has left. Must not call the cache.</summary>
    public Action<Entry, RemovalCause>? Removed { get; init; }

    /// <summary>Finds what is held under a key, and makes it the most recently used. What has expired is not found, and removed unless it is retained.</summary>
    /// <param name="key">The key.</param>
    /// <param name="entry">Its entry.</param>
    /// <returns>Whether there is one that has not expired.</returns>
    public bool TryGet(ReadOnlySpan<byte> key, [MaybeNullWhen(false)] out Entry entry) => TryGet(key, time.GetTimestamp(), out entry);

    /// <inheritdoc cref="TryGet(ReadOnlySpan{byte}, out Entry)"/>
    /// <param name="key">The key.</param>
    /// <param name="now">The present timestamp, for those who need it too.</param>
    /// <param name="entry">Its entry.</param>
    public bool TryGet(ReadOnlySpan<byte> key, long now, [MaybeNullWhen(false)] out Entry entry)
    {
        if (!_entries.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out entry))
        {
            return false;
        }

        if (entry.ExpiresAt <= now)
        {
            if (entry.RetainedUntil(_retention) <= now)
            {
                Remove(entry, RemovalCause.Expired);
            }

            entry = null;
            return false;
        }

        MakeNewest(entry);
        return true;
    }

    /// <summary>Finds what is held under a key, whether it has expired or not, and makes it the most recently used.</summary>
    /// <param name="key">The key.</param>
    /// <param name="now">The present timestamp.</param>
    /// <param name="entry">Its entry.</param>
    /// <returns>Whether there is one whose retention is not over.</returns>
    public bool TryGetRetained(byte[] key, long now, [MaybeNullWhen(false)] out Entry entry)
    {
        if (!_entries.TryGetValue(key, out entry))
        {
            return false;
        }

        if (entry.RetainedUntil(_retention) <= now)
        {
            Remove(entry, RemovalCause.Expired);
            entry = null;
            return false;
        }

        MakeNewest(entry);
        return true;
    }

    /// <summary>Whether anything is held under a key; leaves it where it is in the order.</summary>
    public bool Contains(byte[] key) => _entries.ContainsKey(key);

    /// <summary>What is held under a key, expired or not; leaves it where it is in the order.</summary>
    public Entry? Find(ReadOnlySpan<byte> key) => _entries.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out var entry) ? entry : null;

    /// <summary>Holds a value as the most recently used, in place of what is held under its key.</summary>
    /// <param name="key">The key. The cache keeps the array, which must not be written to any more.</param>
    /// <param name="value">The value, or <see langword="null"/> for a key that Redis does not have. The same holds for it.</param>
    /// <param name="loadedAt">When the read that gave the value was sent, as a timestamp of the clock.</param>
    /// <param name="life">How long it may be served, counted from then.</param>
    /// <param name="session">The number of the session under which it was read.</param>
    /// <param name="originLife">How long Redis itself holds it, counted from then: it is not retained for longer. <see langword="null"/> for no end.</param>
    /// <returns>Whether it is held. If its life is over, or it is larger than the whole cache, nothing is held under the key any more.</returns>
    // That Redis has no such key is never said of it while it fails, so it is not retained.
    public bool Put(byte[] key, byte[]? value, long loadedAt, TimeSpan life, int session = 0, TimeSpan? originLife = null)
    {
        // Not replaced in place: the dictionary would go on holding the older array of the same key beside the new one.
        Remove(key, RemovalCause.Replaced);

        var entry = new Entry(key, value, loadedAt, ExpiryOf(loadedAt, life), session, value is null ? (byte)0 : RetentionOf(originLife - life));
        if (entry.ExpiresAt <= time.GetTimestamp() || entry.Size > MaximumBytes)
        {
            return false;
        }

        while (Count >= MaximumEntries || entry.Size > MaximumBytes - Bytes)
        {
            Remove(_oldest!, RemovalCause.Evicted);
        }

        _entries.Add(key, entry);
        LinkAsNewest(entry);
        _wheel.Add(entry);
        Bytes += entry.Size;
        return true;
    }

    /// <summary>Removes what is held under a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="cause">Why.</param>
    /// <returns>Whether anything was held.</returns>
    public bool Remove(byte[] key, RemovalCause cause)
    {
        if (!_entries.TryGetValue(key, out var entry))
        {
            return false;
        }

        Remove(entry, cause);
        return true;
    }

    /// <summary>Removes entries that have expired, each at the latest 50 ms after its expiry if this is called then.</summary>
    /// <param name="most">How many entries are looked at, at most; the next call goes on from there.</param>
    /// <returns>How many were removed.</returns>
    // Some entries are looked at only to be placed nearer to their expiry, so fewer than that many may be removed while there are more.
    public int RemoveExpired(int most)
    {
        var now = time.GetTimestamp();
        var removed = 0;
        while (_wheel.NextDue(now, ref most) is { } entry)
        {
            Remove(entry, RemovalCause.Expired);
            removed++;
        }

        return removed;
    }

    /// <summary>Removes the entries whose keys are chosen, by looking at each, from the least to the most recently used.</summary>
    /// <param name="key">Chooses the keys. Must not call the cache.</param>
    /// <param name="cause">Why.</param>
    /// <returns>How many were removed.</returns>
    public int RemoveWhere(Predicate<byte[]> key, RemovalCause cause)
    {
        var removed = 0;
        for (var entry = _oldest; entry is not null;)
        {
            var newer = entry.Newer;
            if (key(entry.Key))
            {
                Remove(entry, cause);
                removed++;
            }

            entry = newer;
        }

        return removed;
    }

    /// <summary>Removes every entry, from the least to the most recently used.</summary>
    /// <param name="cause">Why.</param>
    /// <param name="tell">Whether <see cref="Removed"/> is told of each.</param>
    // However many there are, they are let go at once: readers wait for this.
    public void Clear(RemovalCause cause, bool tell = true)
    {
        var entry = _oldest;
        _entries = new(KeyComparer.Instance);
        _wheel = NewWheel(time, retention);
        _newest = _oldest = null;
        Bytes = 0;
        for (; tell && Removed is not null && entry is not null; entry = entry.Newer)
        {
            Removed(entry, cause);
        }
    }

    private void Remove(Entry entry, RemovalCause cause)
    {
        _entries.Remove(entry.Key);
        Unlink(entry);
        _wheel.Remove(entry);
        Bytes -= entry.Size;

        switch (cause)
        {
            case RemovalCause.Evicted:
                Evictions++;
                break;
            case RemovalCause.Expired:
                Expirations++;
                break;
        }

        Removed?.Invoke(entry, cause);
    }

    private void MakeNewest(Entry entry)
    {
        if (entry != _newest)
        {
            Unlink(entry);
            LinkAsNewest(entry);
        }
    }

    private void LinkAsNewest(Entry entry)
    {
        entry.Older = _newest;
        if (_newest is { } newest)
        {
            newest.Newer = entry;
        }
        else
        {
            _oldest = entry;
        }

        _newest = entry;
    }

    private void Unlink(Entry entry)
    {
        if (entry.Newer is { } newer)
        {
            newer.Older = entry.Older;
        }
        else
        {
            _newest = entry.Older;
        }

        if (entry.Older is { } older)
        {
            older.Newer = entry.Newer;
        }
        else
        {
            _oldest = entry.Newer;
        }

        entry.Newer = entry.Older = null;
    }

    /// <summary>As many 255ths of the retention as fit into what Redis holds an entry for beyond its life.</summary>
    private byte RetentionOf(TimeSpan? beyond) =>
        retention == TimeSpan.Zero || beyond <= TimeSpan.Zero ? (byte)0
        : beyond is not { } span || span >= retention ? Entry.WholeRetention
        : (byte)(Entry.WholeRetention * (span / retention));

    private static TimerWheel NewWheel(TimeProvider time, TimeSpan retention) =>
        new(time.GetTimestamp(), time.TimestampFrequency, (long)(retention.TotalSeconds * time.TimestampFrequency));

    /// <summary>The timestamp at which a life that began then is over; the last one there is for a life that goes beyond it.</summary>
    private long ExpiryOf(long loadedAt, TimeSpan life)
    {
        var expiry = loadedAt + ((Int128)life.Ticks * time.TimestampFrequency / TimeSpan.TicksPerSecond);
        return (long)Int128.Clamp(expiry, long.MinValue, long.MaxValue);
    }
}
