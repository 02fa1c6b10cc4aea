using RpOrleans.Grains.Lru;

namespace RpOrleans.Grains.Loading;

// One load a key, however many are waiting (Go's singleflight). What is in flight for a key is also the token that says
// whether its answer may be kept: only the operation that was begun last may, and a write begins one that nobody can join.
// So a load that was overtaken answers those who wait for it, and leaves nothing behind.
//
// No lock: whoever uses it holds that of HeldEntries, so that checking the token and keeping the value are one step.

/// <summary>The loads and writes under way, by key.</summary>
/// <typeparam name="TResult">What a load gives.</typeparam>
/// <param name="comparer">Tells keys apart.</param>
/// <param name="waitersAtMost">Readers that may wait for one load beside the one that began it.</param>
internal sealed class SingleFlight<TResult>(IEqualityComparer<byte[]> comparer, int waitersAtMost = Waiters.AtMost)
{
    private readonly Dictionary<byte[], Flight> _latest = new(comparer);

    /// <summary>The load that a reader of this key may wait with; <see langword="null"/> when there is none.</summary>
    public Flight? Joinable(byte[] key) =>
        _latest.TryGetValue(key, out var flight) && flight.Load is not null ? flight : null;

    /// <summary>Whether anything is under way for a key.</summary>
    public bool Busy(byte[] key) => _latest.ContainsKey(key);

    /// <summary>Counts a reader in who waits for a load.</summary>
    /// <returns>Whether there was room for it.</returns>
    public bool TryJoin(Flight flight) => flight.Waiting < waitersAtMost && ++flight.Waiting > 0;

    /// <summary>Begins an operation. Whatever was in flight for the key is overtaken: its answer will not be kept.</summary>
    public Flight Begin(byte[] key, int session) => _latest[key] = new Flight(key, session);

    /// <summary>Overtakes what is in flight for a key: its answer will not be kept, and nobody joins it any more.</summary>
    /// <returns>Whether anything was.</returns>
    public bool Void(byte[] key) => _latest.Remove(key);

    /// <summary>Overtakes what is in flight for the chosen keys.</summary>
    public void VoidWhere(KeyPredicate chosen)
    {
        foreach (var key in _latest.Keys.Where(key => chosen(key)).ToList())
        {
            _latest.Remove(key);
        }
    }

    /// <summary>Overtakes whatever is in flight.</summary>
    /// <returns>How many there were.</returns>
    public int VoidAll()
    {
        var count = _latest.Count;
        _latest.Clear();
        return count;
    }

    /// <summary>Ends an operation.</summary>
    /// <returns>Whether nothing was begun for the key since: only then may its answer be kept.</returns>
    public bool End(Flight flight)
    {
        if (!_latest.TryGetValue(flight.Key, out var latest) || !ReferenceEquals(latest, flight))
        {
            return false;
        }

        _latest.Remove(flight.Key);
        return true;
    }

    /// <summary>One operation under way.</summary>
    /// <param name="key">The key that it is about.</param>
    /// <param name="session">The session in which it was begun.</param>
    internal sealed class Flight(byte[] key, int session)
    {
        public byte[] Key => key;

        public int Session => session;

        /// <summary>The answer that readers may wait for; <see langword="null"/> while it must not be joined.</summary>
        public Task<TResult>? Load { get; set; }

        /// <summary>Whether what was read had expired in Redis by the time of the answer: that is for those who asked before.</summary>
        public bool Overdue { get; set; }

        /// <summary>Readers that have joined it.</summary>
        public int Waiting { get; set; }
    }
}
