namespace RpOrleans.Grains.Loading;

// One load a key, however many are waiting (Go's singleflight). What is in flight for a key is also the token that says
// whether its answer may be kept: only the operation that was begun last may, and a write begins one that nobody can join.
// So a load that was overtaken answers those who wait for it, and leaves nothing behind.
//
// No lock: the owning grain runs one turn at a time, and nothing here awaits.

/// <summary>The loads and writes under way, by key.</summary>
/// <typeparam name="TResult">What a load gives.</typeparam>
/// <param name="comparer">Tells keys apart.</param>
internal sealed class SingleFlight<TResult>(IEqualityComparer<byte[]> comparer)
{
    private readonly Dictionary<byte[], Flight> _latest = new(comparer);

    /// <summary>The load that a reader of this key may wait with; <see langword="null"/> when there is none.</summary>
    public Task<TResult>? Joinable(byte[] key) =>
        _latest.TryGetValue(key, out var flight) ? flight.Load : null;

    /// <summary>Begins an operation. Whatever was in flight for the key is overtaken: its answer will not be kept.</summary>
    public Flight Begin(byte[] key) => _latest[key] = new Flight(key);

    /// <summary>Overtakes whatever is in flight.</summary>
    public void VoidAll() => _latest.Clear();

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
    internal sealed class Flight(byte[] key)
    {
        public byte[] Key => key;

        /// <summary>The answer that readers may wait for; <see langword="null"/> while it must not be joined.</summary>
        public Task<TResult>? Load { get; set; }
    }
}
