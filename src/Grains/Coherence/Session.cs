namespace RpOrleans.Grains.Coherence;

// A lease in the sense of Gray & Cheriton ("Leases", 1989), held by a node on what it has read of Redis: valid for a bound from the
// sending of the last heartbeat that was answered. Silent, its copies may not be used, but nothing is lost; in another
// session than their own they are unconfirmed for good. Everything is one reference to an immutable state, because
// readers on other threads look at it without a lock.
//
// The clock is the process's own, never one that tests hold in their hand: it is the process that hangs.

/// <summary>Says whether a copy that was loaded under a session's number may be taken for what Redis holds.</summary>
/// <param name="clock">The process's own clock.</param>
internal sealed class Session(TimeProvider clock)
{
    /// <summary>The number of what was loaded under no session.</summary>
    public const int None = 0;

    private int _last = 1;
    private volatile State _state = new(1, Freshness.Expiry, null, 0, long.MaxValue);

    /// <summary>The number for what is loaded from now on; <see cref="None"/> while there is no session.</summary>
    public int Number => _state is { Basis: not Freshness.Unconfirmed } state && state.SameConnections ? state.Number : None;

    /// <summary>What copies rest on now: <see cref="Freshness.Unconfirmed"/> while the session is silent or broken.</summary>
    public Freshness Basis => _state is var state && Holds(state, clock.GetTimestamp()) ? state.Basis : Freshness.Unconfirmed;

    /// <summary>How much longer it holds if it is not confirmed again; nothing while there is none.</summary>
    public TimeSpan Left =>
        _state is var state && clock.GetTimestamp() is var now && Holds(state, now) ? (state.ValidUntil == long.MaxValue ? TimeSpan.MaxValue : clock.GetElapsedTime(now, state.ValidUntil)) : TimeSpan.Zero;

    /// <summary>Whether the session has been opened at all since the start; until then nothing is known of what Redis can do.</summary>
    public bool Opened { get; private set; } = true;

    /// <summary>Milliseconds since the last heartbeat that was answered was sent; <see langword="null"/> when none was, or none is needed.</summary>
    public double? MillisecondsSinceConfirmed =>
        _state is { Basis: Freshness.Tracking, ConfirmedAt: > 0 } state ? clock.GetElapsedTime(state.ConfirmedAt).TotalMilliseconds : null;

    /// <summary>Whether a copy that was loaded under this number is as fresh as promised.</summary>
    /// <param name="number">The number.</param>
    /// <param name="basis">What that rests on.</param>
    public bool Confirms(int number, out Freshness basis)
    {
        var state = _state;
        if (number == state.Number && Holds(state, clock.GetTimestamp()))
        {
            basis = state.Basis;
            return true;
        }

        basis = Freshness.Unconfirmed;
        return false;
    }

    /// <summary>Ends the session: from now on nothing is confirmed.</summary>
    public void Break() => _state = new State(None, Freshness.Unconfirmed, null, 0, 0);

    /// <summary>Nothing is known of Redis yet, and until it is nothing is confirmed.</summary>
    public void Await()
    {
        Opened = false;
        Break();
    }

    /// <summary>Begins a session with a Redis that tells of changes; it is valid from the first <see cref="Confirm"/>.</summary>
    /// <param name="sameConnections">Whether its connections are still the ones on which it was set up.</param>
    /// <returns>Its number.</returns>
    public int Open(Func<bool> sameConnections)
    {
        var number = ++_last;
        _state = new State(number, Freshness.Tracking, sameConnections, 0, 0);
        Opened = true;
        return number;
    }

    /// <summary>Begins a session that <c>RECORD_EXPIRY</c> alone bounds, or goes on with the one there is.</summary>
    /// <param name="anotherDataSet">Whether what was read before may have come from another Redis.</param>
    public void OpenByExpiry(bool anotherDataSet)
    {
        if (anotherDataSet || _state.Basis != Freshness.Expiry)
        {
            _state = new State(++_last, Freshness.Expiry, null, 0, long.MaxValue);
        }

        Opened = true;
    }

    /// <summary>A heartbeat of the session was answered.</summary>
    /// <param name="number">The session's number; that of an earlier one counts for nothing.</param>
    /// <param name="sentAt">When it was sent, as a timestamp of the clock.</param>
    /// <param name="bound">How long it holds from then.</param>
    public void Confirm(int number, long sentAt, TimeSpan bound)
    {
        if (_state is { Basis: Freshness.Tracking } state && state.Number == number)
        {
            _state = state with { ConfirmedAt = sentAt, ValidUntil = sentAt + (long)(bound.TotalSeconds * clock.TimestampFrequency) };
        }
    }

    private static bool Holds(State state, long now) =>
        state.Basis != Freshness.Unconfirmed && now < state.ValidUntil && state.SameConnections;

    private sealed record State(int Number, Freshness Basis, Func<bool>? Connections, long ConfirmedAt, long ValidUntil)
    {
        public bool SameConnections => Connections is null || Connections();
    }
}
