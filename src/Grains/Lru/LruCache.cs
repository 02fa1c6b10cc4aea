namespace RpOrleans.Grains.Lru;

// An index finds an entry; a list through the entries keeps them in the order of their use, so that the least recent is at
// hand when space is needed; a timer wheel keeps them in the order of their expiry, so that memory comes back without
// anyone asking for what has expired (EntryStore). Each operation is O(1), RemoveWhere apart. The price is strictness: every
// hit moves its entry, where caches that only approximate the order get by with a mark.
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
    private EntryStore _store = NewStore(time, retention, reclaiming: new());

    /// <summary>Entries held now, among them those that have expired and are retained, or were not asked for or swept since.</summary>
    public int Count => _store.Count;

    /// <summary>Bytes that they take: keys, values and overhead.</summary>
    public long Bytes { get; private set; }

    /// <summary>Bytes of memory that are allocated for that: at most as many and a tenth, but for the first megabyte, and for what just became free.</summary>
    public long Allocated => _store.Bytes;

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
    public bool TryGet(ReadOnlySpan<byte> key, out Entry entry) => TryGet(key, time.GetTimestamp(), out entry);

    /// <inheritdoc cref="TryGet(ReadOnlySpan{byte}, out Entry)"/>
    /// <param name="key">The key.</param>
    /// <param name="now">The present timestamp, for those who need it too.</param>
    /// <param name="entry">Its entry.</param>
    public bool TryGet(ReadOnlySpan<byte> key, long now, out Entry entry) => TryGet(key, now, retained: false, out entry);

    /// <summary>Finds what is held under a key, whether it has expired or not, and makes it the most recently used.</summary>
    /// <param name="key">The key.</param>
    /// <param name="now">The present timestamp.</param>
    /// <param name="entry">Its entry.</param>
    /// <returns>Whether there is one whose retention is not over.</returns>
    public bool TryGetRetained(ReadOnlySpan<byte> key, long now, out Entry entry) => TryGet(key, now, retained: true, out entry);

    /// <summary>Whether anything is held under a key; leaves it where it is in the order.</summary>
    public bool Contains(ReadOnlySpan<byte> key) => _store.Find(key) != 0;

    /// <summary>Finds what is held under a key, expired or not; leaves it where it is in the order.</summary>
    /// <param name="key">The key.</param>
    /// <param name="entry">Its entry.</param>
    /// <returns>Whether there is one.</returns>
    public bool TryFind(ReadOnlySpan<byte> key, out Entry entry)
    {
        var number = _store.Find(key);
        entry = number == 0 ? default : _store.View(number);
        return number != 0;
    }

    /// <summary>Sets how often an entry was asked for, up to 63; to be called before anything comes or leaves after it was found.</summary>
    public void SetUses(in Entry entry, byte uses) => _store[entry.Number].Uses = uses;

    /// <summary>Holds a value as the most recently used, in place of what is held under its key.</summary>
    /// <param name="key">The key; copied, as is the value.</param>
    /// <param name="value">The value.</param>
    /// <param name="loadedAt">When the read that gave the value was sent, as a timestamp of the clock.</param>
    /// <param name="life">How long it may be served, counted from then.</param>
    /// <param name="session">The number of the session under which it was read.</param>
    /// <param name="originLife">How long Redis itself holds it, counted from then: it is not retained for longer. <see langword="null"/> for no end.</param>
    /// <returns>Whether it is held. If its life is over, or it is larger than the whole cache, nothing is held under the key any more.</returns>
    public bool Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long loadedAt, TimeSpan life, int session = 0, TimeSpan? originLife = null) =>
        Put(key, value, absent: false, loadedAt, life, session, RetentionOf(originLife - life));

    /// <summary>Holds as the most recently used that Redis has no such key.</summary>
    /// <inheritdoc cref="Put(ReadOnlySpan{byte}, ReadOnlySpan{byte}, long, TimeSpan, int, TimeSpan?)"/>
    // That is never said of a key while Redis fails, so it is not retained.
    public bool PutAbsent(ReadOnlySpan<byte> key, long loadedAt, TimeSpan life, int session = 0) =>
        Put(key, [], absent: true, loadedAt, life, session, retained: 0);

    /// <summary>Removes what is held under a key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="cause">Why.</param>
    /// <returns>Whether anything was held.</returns>
    public bool Remove(ReadOnlySpan<byte> key, RemovalCause cause)
    {
        var number = _store.Find(key);
        if (number == 0)
        {
            return false;
        }

        Remove(number, cause);
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
        while (_store.Wheel.NextDue(now, ref most) is not 0 and var number)
        {
            Remove(number, RemovalCause.Expired);
            removed++;
        }

        return removed;
    }

    /// <summary>Removes the entries whose keys are chosen, by looking at each, from the least to the most recently used.</summary>
    /// <param name="key">Chooses the keys. Must not call the cache.</param>
    /// <param name="cause">Why.</param>
    /// <returns>How many were removed.</returns>
    public int RemoveWhere(KeyPredicate key, RemovalCause cause)
    {
        var removed = 0;
        for (var number = _store.Recency.Oldest; number != 0;)
        {
            ref var entry = ref _store[number];
            var newer = entry.Newer;
            if (key(_store.RecordOf(entry).KeySpan))
            {
                Remove(number, cause, ref newer);
                removed++;
            }

            number = newer;
        }

        return removed;
    }

    /// <summary>Removes the entries whose keys are chosen, in no particular order, by looking at some of them.</summary>
    /// <param name="key">Chooses the keys. Must not call the cache.</param>
    /// <param name="cause">Why.</param>
    /// <param name="from">At first <see cref="int.MaxValue"/>; afterwards, where the next call goes on. What came since the first may be looked at or not.</param>
    /// <param name="most">How many are looked at, at most.</param>
    /// <returns>Whether some were not looked at yet.</returns>
    public bool RemoveSome(KeyPredicate key, RemovalCause cause, ref int from, int most)
    {
        for (from = Math.Min(from, _store.Last); from > 0; most--)
        {
            if (most == 0)
            {
                return true;
            }

            if (_store.Holds(from) && key(_store.RecordOf(_store[from]).KeySpan))
            {
                Remove(from, cause); // only the last moves into its place, if any: that was looked at
            }

            from = Math.Min(from - 1, _store.Last);
        }

        return false;
    }

    /// <summary>Evicts some of those that would have to leave for a value.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="valueLength">Its length.</param>
    /// <param name="most">How many leave, at most.</param>
    /// <returns>Whether more would have to.</returns>
    public bool MakeRoom(ReadOnlySpan<byte> key, int valueLength, int most)
    {
        var replaced = _store.Find(key);
        var size = Entry.SizeOf(key.Length, valueLength) - (replaced == 0 ? 0 : SizeOf(_store.View(replaced)));
        for (; size <= MaximumBytes && size > MaximumBytes - Bytes && _store.Recency.Oldest is var oldest && oldest != replaced; most--)
        {
            if (most == 0)
            {
                return true;
            }

            Remove(oldest, RemovalCause.Evicted, ref replaced);
        }

        return false;
    }

    /// <summary>Removes every entry, from the least to the most recently used.</summary>
    /// <param name="cause">Why.</param>
    /// <param name="tell">Whether <see cref="Removed"/> is told of each.</param>
    // However many there are, they are let go at once: readers wait for this.
    public void Clear(RemovalCause cause, bool tell = true)
    {
        var cleared = _store;
        _store = NewStore(time, retention, cleared.Reclaiming);
        Bytes = 0;
        cleared.LetGo();
        for (var number = cleared.Recency.Oldest; tell && Removed is not null && number != 0; number = cleared[number].Newer)
        {
            Removed(cleared.View(number), cause);
        }
    }

    private bool TryGet(ReadOnlySpan<byte> key, long now, bool retained, out Entry entry)
    {
        entry = default;
        var number = _store.Find(key);
        if (number == 0)
        {
            return false;
        }

        ref var slot = ref _store[number];
        if (slot.ExpiresAt <= now)
        {
            if (slot.RetainedUntil(_retention) <= now)
            {
                Remove(number, RemovalCause.Expired);
                return false;
            }

            if (!retained)
            {
                return false;
            }
        }

        _store.Recency.MakeNewest(number);
        entry = _store.View(number);
        return true;
    }

    private bool Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool absent, long loadedAt, TimeSpan life, int session, byte retained)
    {
        Remove(key, RemovalCause.Replaced);

        var size = Entry.SizeOf(key.Length, value.Length);
        var entry = new EntrySlot { LoadedAt = loadedAt, ExpiresAt = ExpiryOf(loadedAt, life), Session = session, Retention = retained };
        if (entry.ExpiresAt <= time.GetTimestamp() || size > MaximumBytes)
        {
            return false;
        }

        while (Count >= MaximumEntries || size > MaximumBytes - Bytes)
        {
            Remove(_store.Recency.Oldest, RemovalCause.Evicted);
        }

        _store.Add(key, value, absent, entry);
        Bytes += size;
        return true;
    }

    private void Remove(int number, RemovalCause cause)
    {
        var follow = 0;
        Remove(number, cause, ref follow);
    }

    private void Remove(int number, RemovalCause cause, ref int follow)
    {
        var entry = _store.View(number);
        _store.Remove(number, ref follow);
        Bytes -= SizeOf(entry);

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

    private static long SizeOf(in Entry entry) => Entry.SizeOf(entry.Key.Length, entry.Value.Length);

    /// <summary>As many 255ths of the retention as fit into what Redis holds an entry for beyond its life.</summary>
    private byte RetentionOf(TimeSpan? beyond) =>
        retention == TimeSpan.Zero || beyond <= TimeSpan.Zero ? (byte)0
        : beyond is not { } span || span >= retention ? EntrySlot.WholeRetention
        : (byte)(EntrySlot.WholeRetention * (span / retention));

    private static EntryStore NewStore(TimeProvider time, TimeSpan retention, Reclaiming reclaiming) =>
        new(time.GetTimestamp(), time.TimestampFrequency, (long)(retention.TotalSeconds * time.TimestampFrequency), reclaiming);

    /// <summary>The timestamp at which a life that began then is over; the last one there is for a life that goes beyond it.</summary>
    private long ExpiryOf(long loadedAt, TimeSpan life)
    {
        var expiry = loadedAt + ((Int128)life.Ticks * time.TimestampFrequency / TimeSpan.TicksPerSecond);
        return (long)Int128.Clamp(expiry, long.MinValue, long.MaxValue);
    }
}
