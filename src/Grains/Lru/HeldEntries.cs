namespace RpOrleans.Grains.Lru;

// The grain runs one turn at a time and would need no lock. But where gateway and node share a process, a hit that goes
// through the grain's scheduler costs two changes of thread, as much as all the rest of a read over HTTP
// (docs/decisions/0006). So the gateway looks here itself, and whoever uses the entries holds the lock for that moment.

/// <summary>What a node holds, for its grain, and for the gateway in the same process.</summary>
internal sealed class HeldEntries(LruCache entries, NodeMetrics metrics, TimeProvider time)
{
    /// <summary>So many expired entries are removed before the lock is given back in between.</summary>
    private const int SweptAtOnce = 500;

    private readonly Lock _lock = new();

    /// <summary>Looks a key up.</summary>
    /// <param name="key">The key.</param>
    /// <param name="hit">The answer; when there is none, one that says so.</param>
    /// <returns>Whether it is held, and fresh.</returns>
    public bool TryHit(byte[] key, out Lookup hit)
    {
        long loadedAt, expiresAt;
        byte[] value;
        lock (_lock)
        {
            if (!entries.TryGet(key, out var entry))
            {
                hit = default;
                return false;
            }

            metrics.Hits++;
            (value, loadedAt, expiresAt) = (entry.Value, entry.LoadedAt, entry.ExpiresAt);
        }

        var now = time.GetTimestamp();
        hit = new Lookup
        {
            Status = LookupStatus.Found,
            Source = LookupSource.Cache,
            Stored = true,
            Value = value,
            AgeMilliseconds = (long)time.GetElapsedTime(loadedAt, now).TotalMilliseconds,
            FreshMilliseconds = (long)time.GetElapsedTime(now, expiresAt).TotalMilliseconds,
        };
        return true;
    }

    /// <inheritdoc cref="LruCache.Put"/>
    public bool Put(byte[] key, byte[] value, long loadedAt, TimeSpan life)
    {
        lock (_lock) return entries.Put(key, value, loadedAt, life);
    }

    /// <inheritdoc cref="LruCache.Remove(byte[], RemovalCause)"/>
    public bool Remove(byte[] key, RemovalCause cause)
    {
        lock (_lock) return entries.Remove(key, cause);
    }

    /// <inheritdoc cref="LruCache.RemoveWhere"/>
    public void RemoveWhere(Predicate<byte[]> key, RemovalCause cause)
    {
        lock (_lock) entries.RemoveWhere(key, cause);
    }

    /// <inheritdoc cref="LruCache.Clear"/>
    public void Clear(RemovalCause cause)
    {
        lock (_lock) entries.Clear(cause);
    }

    /// <inheritdoc cref="LruCache.RemoveExpired"/>
    public void RemoveExpired(int most)
    {
        for (var looked = 0; looked < most; looked += SweptAtOnce)
        {
            lock (_lock)
            {
                if (entries.RemoveExpired(SweptAtOnce) == 0)
                {
                    return; // more is due later
                }
            }
        }
    }
}
