namespace RpOrleans.Grains.Origin;

/// <summary>What is cached: Redis, or in tests a fake that holds still when told to.</summary>
internal interface IOrigin
{
    /// <summary>Whether reads are likely to be answered now; <see langword="false"/> from the moment that the origin is known to fail until it has answered a probe.</summary>
    OriginHealth Health { get; }

    /// <summary>What an answered round trip takes, in milliseconds; recent ones count most.</summary>
    double LatencyMilliseconds { get; }

    /// <summary>Reads value and time to live together, in one round trip, at most two attempts.</summary>
    /// <param name="key">The key's bytes.</param>
    /// <param name="deadline">When to give up, by the <see cref="TimeProvider"/>'s timestamp.</param>
    /// <exception cref="OriginException">Redis gave no usable answer by then.</exception>
    Task<OriginValue> ReadAsync(byte[] key, long deadline);

    /// <summary>Sets or deletes a key, in one attempt, and reads it in the same go, so that what is kept is what Redis tells of.</summary>
    /// <param name="change">What to write.</param>
    /// <param name="deadline">When to give up, by the <see cref="TimeProvider"/>'s timestamp; a write not sent by then is not sent.</param>
    /// <returns>What became of it.</returns>
    /// <exception cref="OriginException">Redis refused it, or gave no answer.</exception>
    Task<OriginWritten> WriteAsync(OriginWrite change, long deadline);
}

/// <summary>A value as Redis held it at one moment.</summary>
/// <param name="Kind">Whether and how it was there.</param>
/// <param name="Value">Its bytes when <see cref="OriginValueKind.Found"/>.</param>
/// <param name="TimeToLive">What was left of its life; <see langword="null"/> when it has no expiry.</param>
internal readonly record struct OriginValue(OriginValueKind Kind, byte[]? Value = null, TimeSpan? TimeToLive = null);

/// <summary>Whether and how a key was there.</summary>
internal enum OriginValueKind : byte
{
    /// <summary>Redis said that there is no such key.</summary>
    Absent,

    /// <summary>A string.</summary>
    Found,

    /// <summary>A string longer than <c>MAX_VALUE_BYTES</c>; it was not pulled.</summary>
    TooLarge,

    /// <summary>Not a string: a list, a hash, …</summary>
    WrongType,
}

/// <summary>A change to one key.</summary>
/// <param name="Key">The key's bytes.</param>
/// <param name="Value">The new value; <see langword="null"/> deletes.</param>
/// <param name="Expiry">The new value's time to live; <see langword="null"/> for none.</param>
/// <param name="OnlyIfAbsent">Write only if the key is not there (<c>SET … NX</c>).</param>
internal readonly record struct OriginWrite(byte[] Key, byte[]? Value, TimeSpan? Expiry = null, bool OnlyIfAbsent = false);

/// <summary>What became of a change.</summary>
/// <param name="Done">Whether it was carried out: <see langword="false"/> only for a conditional write whose condition did not hold.</param>
/// <param name="Now">What Redis held afterwards; <see langword="null"/> when that is not known.</param>
internal readonly record struct OriginWritten(bool Done, OriginValue? Now);

/// <summary>What is known of the origin, and, when it is ill, why.</summary>
/// <param name="Fault"><see cref="OriginFault.None"/> when it answers.</param>
/// <param name="Refuses">Whether a read would be refused without asking it: the circuit breaker is open.</param>
internal readonly record struct OriginHealth(OriginFault Fault, bool Refuses = false)
{
    public bool Answers => Fault == OriginFault.None;

    /// <summary>What a read is refused with that is not even begun; <see langword="null"/> where it is.</summary>
    public OriginFault? Refusal => !Refuses ? null : Fault.SaysMoreThanBreakerOpen() ? Fault : OriginFault.BreakerOpen;
}
