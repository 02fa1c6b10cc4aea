using System.Diagnostics.CodeAnalysis;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Loading;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Grains.Lru;

// Three kinds of callers meet here: the grain, one turn at a time; in the same process the gateway, whose hits would
// otherwise cost two changes of thread (docs/decisions/0006); and the invalidations of Redis, on threads of their own. So
// each step holds the lock: an invalidation comes before the answer is kept, and voids it, or after, and removes it.

/// <summary>What a node holds, and the loads and writes under way that may add to it.</summary>
internal sealed class HeldEntries(LruCache entries, Session session, NodeMetrics metrics, CacheOptions options, TimeProvider time, TouchSample? touches = null, Leases? leases = null)
{
    /// <summary>So many expired entries are removed before the lock is given back in between.</summary>
    private const int SweptAtOnce = 500;

    /// <summary>So many entries are looked at at once when keys have moved: all of a small node's.</summary>
    private const int MovedAtOnce = 5_000;

    /// <summary>A larger value may take the room of so many that they leave a few at a time.</summary>
    private const int LargeValue = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly SingleFlight<Lookup> _flights = new(KeyComparer.Instance);
    private readonly RefreshAhead _refreshAhead = new(entries, options);
    private readonly GradualRemoval _moved = new(entries, RemovalCause.Moved);

    /// <summary>Told of a key that is asked for often and is to be read again, once for each entry; on the reader's thread, who does not wait.</summary>
    public Action<byte[]>? RefreshDue { get; set; }

    /// <summary>Looks a key up.</summary>
    /// <param name="key">The key.</param>
    /// <param name="hit">The answer; when there is none, one that says so.</param>
    /// <returns>Whether it is held, and as fresh as promised.</returns>
    public bool TryHit(ReadOnlySpan<byte> key, out Lookup hit) => TryHit(key, holder: -1, time.GetTimestamp(), out hit);

    /// <summary>Looks a key up, and grants a copy of what is held.</summary>
    /// <param name="key">The key.</param>
    /// <param name="holder">To whom, as <see cref="Leases.Find"/> said; below zero for nobody.</param>
    /// <param name="now">The present timestamp: one for all keys that are asked for together.</param>
    /// <param name="hit">The answer; when there is none, one that says so.</param>
    /// <returns>Whether it is held, and as fresh as promised.</returns>
    public bool TryHit(ReadOnlySpan<byte> key, int holder, long now, out Lookup hit)
    {
        Entry entry;
        Freshness basis;
        bool refresh;
        lock (_lock)
        {
            _moved.Look(key);
            if (!entries.TryGet(key, now, out entry) || !session.Confirms(entry.Session, out basis))
            {
                hit = default;
                return false;
            }

            metrics.Hits++;
            refresh = _refreshAhead.IsDue(entry, now);
            if (holder >= 0)
            {
                leases!.Grant(holder, entry.Key.Span);
            }
        }

        NoteUse(entry, refresh);
        hit = Answer(entry, basis, now) with { Granted = holder >= 0 };
        return true;
    }

    /// <summary>A gateway has answered with its copy: the entry becomes the most recently used, as by a hit.</summary>
    public void NoteHit(ReadOnlySpan<byte> key)
    {
        Entry entry;
        bool refresh;
        var now = time.GetTimestamp();
        lock (_lock)
        {
            _moved.Look(key);
            if (!entries.TryGet(key, now, out entry))
            {
                return;
            }

            refresh = _refreshAhead.IsDue(entry, now);
        }

        NoteUse(entry, refresh);
    }

    /// <summary>Finds a value that never changed as far as is known, but that Redis has not confirmed or whose life is over: all there is when Redis cannot be asked.</summary>
    /// <param name="key">The key.</param>
    /// <param name="terms">Which will do; <see langword="null"/> for any.</param>
    /// <param name="confirmedOnly">Whether it must be of the present session, and that valid: then only its life is over.</param>
    /// <param name="copy">The answer, marked as what it is.</param>
    /// <returns>Whether there is one.</returns>
    public bool TryStale(byte[] key, CopyTerms? terms, bool confirmedOnly, out Lookup copy)
    {
        copy = default;
        lock (_lock)
        {
            // That Redis had no such key is not worth saying without its confirmation: an error is never a miss.
            var now = time.GetTimestamp();
            _moved.Look(key);
            if (!entries.TryGetRetained(key, now, out var entry) || entry.Absent)
            {
                return false;
            }

            if (!session.Confirms(entry.Session, out var basis) && confirmedOnly)
            {
                return false;
            }

            var answer = Answer(entry, entry.ExpiresAt <= now ? Freshness.Expired : basis, now);
            if (terms is not null && !terms.Accept(answer))
            {
                return false;
            }

            copy = answer;
            switch (answer.Freshness)
            {
                case Freshness.Expired:
                    metrics.StaleIfError++;
                    break;
                case Freshness.Unconfirmed:
                    metrics.Stale++;
                    break;
                default:
                    metrics.Hits++; // confirmed again while Redis was asked
                    break;
            }

            return true;
        }
    }

    /// <summary>What is held of a key, and what that is worth; changes nothing.</summary>
    public Explanation Explain(byte[] key)
    {
        lock (_lock)
        {
            _moved.Look(key);
            if (!entries.TryFind(key, out var entry))
            {
                return new Explanation { Loading = _flights.Busy(key) };
            }

            var now = time.GetTimestamp();
            session.Confirms(entry.Session, out var basis);
            var answer = Answer(entry, entry.ExpiresAt <= now ? Freshness.Expired : basis, now);
            return new Explanation
            {
                Held = true,
                Absent = entry.Absent,
                ValueBytes = entry.Value.Length,
                AgeMilliseconds = answer.AgeMilliseconds,
                FreshMilliseconds = answer.FreshMilliseconds,
                Freshness = answer.Freshness,
                Loading = _flights.Busy(key),
            };
        }
    }

    /// <summary>The load that a reader of this key may wait with; <see langword="null"/> when there is none.</summary>
    public SingleFlight<Lookup>.Flight? Joinable(byte[] key)
    {
        lock (_lock) return _flights.Joinable(key);
    }

    /// <inheritdoc cref="SingleFlight{TResult}.TryJoin"/>
    public bool TryJoin(SingleFlight<Lookup>.Flight flight)
    {
        lock (_lock) return _flights.TryJoin(flight);
    }

    /// <summary>Begins a load of a key that is held, if nothing is under way for it.</summary>
    /// <returns>The load; <see langword="null"/> when there is no reason for it any more.</returns>
    public SingleFlight<Lookup>.Flight? BeginRefresh(byte[] key)
    {
        lock (_lock)
        {
            _moved.Look(key);
            return entries.Contains(key) && !_flights.Busy(key) ? _flights.Begin(key, session.Number) : null;
        }
    }

    /// <summary>Begins a load: its answer is kept unless something happens to the key meanwhile.</summary>
    public SingleFlight<Lookup>.Flight BeginLoad(byte[] key)
    {
        lock (_lock) return _flights.Begin(key, session.Number);
    }

    /// <summary>Begins a write: from now on no reader is given the older value as fresh, and no load that was sent before is kept.</summary>
    public SingleFlight<Lookup>.Flight BeginWrite(byte[] key)
    {
        lock (_lock)
        {
            entries.Remove(key, RemovalCause.Invalidated);
            return _flights.Begin(key, session.Number);
        }
    }

    /// <summary>Ends a load that brought no answer: what is held stays as it is.</summary>
    public void Fail(SingleFlight<Lookup>.Flight flight)
    {
        lock (_lock) _flights.End(flight);
    }

    /// <summary>Ends a load or a write, and keeps what Redis said if nothing was begun for the key since, and no change was heard of; else drops the copy that is there.</summary>
    /// <param name="flight">What ends.</param>
    /// <param name="keep">Whether the answer is to be kept at all.</param>
    /// <param name="value">The value; <see langword="null"/> for a key that Redis does not have.</param>
    /// <param name="sent">When Redis was asked.</param>
    /// <param name="life">How long it may be served from then.</param>
    /// <param name="originLife">How long Redis itself holds it from then; <see langword="null"/> for no end.</param>
    /// <returns>Whether it is kept.</returns>
    public bool End(SingleFlight<Lookup>.Flight flight, bool keep, byte[]? value, long sent, TimeSpan life, TimeSpan? originLife = null)
    {
        while (keep && value?.Length > LargeValue && MakesRoom(flight.Key, value.Length))
        {
            // Whoever waits for the lock comes in between.
        }

        lock (_lock)
        {
            var overtaken = !_flights.End(flight);
            if (overtaken)
            {
                metrics.VoidedLoads++;
            }

            if (keep && !overtaken && Put(flight, value, sent, life, originLife))
            {
                return true;
            }

            entries.Remove(flight.Key, RemovalCause.Invalidated);
            return false;
        }
    }

    /// <summary>Redis says that the key has changed, or forgets that it was read.</summary>
    public void Invalidate(byte[] key)
    {
        lock (_lock)
        {
            metrics.Invalidations++;
            entries.Remove(key, RemovalCause.Invalidated);
            _flights.Void(key);
        }
    }

    /// <summary>Redis says that everything has changed.</summary>
    public void InvalidateAll()
    {
        lock (_lock)
        {
            metrics.Flushes++;
            Clear();
            _flights.VoidAll();
        }
    }

    /// <summary>Others have written the keys: there is no copy of them here now, and what is under way is not kept.</summary>
    /// <param name="keys">The keys; <see langword="null"/> when any may have been written.</param>
    public void Drop(byte[][]? keys)
    {
        lock (_lock)
        {
            if (keys is null)
            {
                Clear();
                _flights.VoidAll();
                return;
            }

            foreach (var key in keys)
            {
                entries.Remove(key, RemovalCause.Invalidated);
                _flights.Void(key);
            }
        }
    }

    /// <summary>Whatever is under way was sent in another session: nobody joins it, and it is not kept.</summary>
    public void VoidLoads()
    {
        lock (_lock) _flights.VoidAll();
    }

    /// <summary>Drops the copies of keys that belong to others now; what is under way for them is not kept either, even if they come back meanwhile.</summary>
    /// <param name="moved">Chooses them; by what is true now, whenever it is asked.</param>
    /// <returns>Whether <see cref="SweepMoved"/> is to be called, for the memory: nobody finds those copies any more.</returns>
    public bool DropMoved(KeyPredicate moved)
    {
        lock (_lock)
        {
            leases?.TakeBackWhere(moved);
            _flights.VoidWhere(moved);
            _moved.Begin(moved);
            return _moved.Step(MovedAtOnce);
        }
    }

    /// <summary>Removes what was dropped by <see cref="DropMoved"/> and not removed yet.</summary>
    public void SweepMoved()
    {
        for (var more = true; more; Thread.Yield())
        {
            lock (_lock) more = _moved.Step(SweptAtOnce);
        }
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

    private bool MakesRoom(byte[] key, int valueLength)
    {
        lock (_lock) return entries.MakeRoom(key, valueLength, SweptAtOnce);
    }

    private bool Put(SingleFlight<Lookup>.Flight flight, byte[]? value, long sent, TimeSpan life, TimeSpan? originLife) => value is null
        ? entries.PutAbsent(flight.Key, sent, life, flight.Session)
        : entries.Put(flight.Key, value, sent, life, flight.Session, originLife);

    private void Clear()
    {
        _moved.End();
        leases?.TakeAllBack();
        entries.Clear(RemovalCause.Invalidated, tell: false);
    }

    private void NoteUse(in Entry entry, bool refresh)
    {
        touches?.Offer(entry.Key.Span);
        if (refresh)
        {
            RefreshDue?.Invoke(entry.Key.ToArray());
        }
    }

    private Lookup Answer(in Entry entry, Freshness basis, long now) => new()
    {
        Status = entry.Absent ? LookupStatus.Absent : LookupStatus.Found,
        Source = LookupSource.Cache,
        Freshness = basis,
        Stored = true,
        Value = entry.Value,
        AgeMilliseconds = (long)time.GetElapsedTime(entry.LoadedAt, now).TotalMilliseconds,
        FreshMilliseconds = (long)Math.Floor(time.GetElapsedTime(now, entry.ExpiresAt).TotalMilliseconds),
    };
}
