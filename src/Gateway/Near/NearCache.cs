using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Lru;
using RpOrleans.Grains.Placement;

namespace RpOrleans.Gateway.Near;

// What is asked for often is answered here, on a lease from the node that owns it (docs/coherence.md, "Copies at gateways"). A copy is used only under the lease
// under which it was granted, and only while that holds: the clock is looked at in the same step as the copy. What is asked for
// seldom always goes to its node, so that the order in which the node evicts is that of use.

/// <summary>Copies of often-asked entries, in the gateway.</summary>
internal sealed class NearCache
{
    /// <summary>A key that was asked for as often as this is worth a copy.</summary>
    private const int AskedOften = 3;

    /// <summary>So many keys asked for once each are told from those that are asked for often.</summary>
    private const int SketchWidth = 256 * 1024;

    /// <summary>Of so many keys a node is told at a time that they were asked for.</summary>
    private const int ReportedAtMost = 1_000;

    /// <summary>So many copies that have expired are removed at a time.</summary>
    private const int SweptAtMost = 1_000;

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly LruCache _copies;
    private readonly FrequencySketch _asked = new(SketchWidth);
    private int _lastLease;
    private long _hits;
    private long _stale;

    /// <param name="maximumBytes">Memory that they may take.</param>
    /// <param name="time">The clock.</param>
    public NearCache(long maximumBytes, TimeProvider time) => (_time, _copies) = (time, new LruCache(int.MaxValue, maximumBytes, time));

    /// <summary>The gateway, and no other one before or after it.</summary>
    public Guid Gateway { get; } = Guid.NewGuid();

    /// <summary>Reads answered from copies.</summary>
    public long Hits => Volatile.Read(ref _hits);

    /// <summary>Those among them that were marked as unconfirmed.</summary>
    public long Stale => Volatile.Read(ref _stale);

    /// <summary>Copies that are held.</summary>
    public int Count => _copies.Count;

    /// <summary>Bytes that they take.</summary>
    public long Bytes => _copies.Bytes;

    /// <summary>A lease on what a node holds; not valid before it is renewed.</summary>
    public NodeLease NewLease() => new(this);

    /// <summary>Counts a request for a key of which there is no copy.</summary>
    /// <returns>Whether one is wanted.</returns>
    public bool Wants(ReadOnlySpan<byte> key) => _asked.Count(RendezvousHash.HashKey(key)) >= AskedOften;

    /// <summary>Finds a copy that may be used; while Redis fails one that is marked as unconfirmed.</summary>
    public bool TryHit(NodeLease lease, ReadOnlySpan<byte> key, out Lookup hit)
    {
        lock (_lock)
        {
            var now = _time.GetTimestamp();
            var confirmed = now < lease.ValidUntil;
            if ((!confirmed && now >= lease.UnconfirmedUntil) || !_copies.TryGet(key, now, out var copy) || copy.Session != lease.Number || (copy.Absent && !confirmed))
            {
                hit = default;
                return false;
            }

            if (copy.Uses == 0 && lease.Hits < ReportedAtMost)
            {
                _copies.SetUses(copy, 1);
                KeyBatch.Pack(lease.HitKeys, key);
                lease.Hits++;
            }

            _hits++;
            _stale += confirmed ? 0 : 1;
            hit = new Lookup
            {
                Status = copy.Absent ? LookupStatus.Absent : LookupStatus.Found,
                Source = LookupSource.Cache,
                Freshness = confirmed ? lease.Basis : Freshness.Unconfirmed,
                Stored = true,
                Value = copy.Value,
                AgeMilliseconds = (long)_time.GetElapsedTime(copy.LoadedAt, now).TotalMilliseconds,
                FreshMilliseconds = (long)_time.GetElapsedTime(now, copy.ExpiresAt).TotalMilliseconds,
            };
            return true;
        }
    }

    /// <summary>A look-up is about to be sent; what is taken back from now on is not to be kept of its answer.</summary>
    public NearLoad Begin(NodeLease lease)
    {
        lock (_lock)
        {
            return lease.Load = new NearLoad(lease.Number, _time.GetTimestamp());
        }
    }

    /// <summary>A look-up was answered: keeps what was granted, and lets go of copies that say something else.</summary>
    public void End(NodeLease lease, NearLoad load, KeyBatch keys, LookupBatch answers)
    {
        lock (_lock)
        {
            ReadOnlySpan<byte> rest = keys.Packed;
            var at = 0;
            for (var i = 0; i < keys.Count; i++)
            {
                var key = KeyBatch.Next(ref rest);
                var answer = answers.Read(ref at, out var value);
                if (answer.Granted && load.Lease == lease.Number && !load.Voids(key))
                {
                    Keep(lease, key, answer, value, load.Sent);
                }
                else if (_copies.Count > 0)
                {
                    Compare(lease, key, answer.Status, value.Span);
                }
            }
        }
    }

    /// <summary>A node gave another answer than to a look-up: a copy that says something else is older, or newer, and nobody is to be told both in turn.</summary>
    public void Note(NodeLease lease, byte[] key, in Lookup answer)
    {
        lock (_lock)
        {
            lease.Load?.Void(key);
            Compare(lease, key, answer.Status, answer.Value.Span);
        }
    }

    /// <summary>A lease was renewed: what was taken back goes first, then the rest may be used for longer.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="answer">What the node said.</param>
    /// <param name="sent">When it was asked.</param>
    public void Renew(NodeLease lease, LeaseAnswer answer, long sent)
    {
        lock (_lock)
        {
            if (answer.Session != lease.Session || answer.All)
            {
                lease.Number = ++_lastLease; // nothing that was copied before is of this one
                lease.Load = null;
            }

            ReadOnlySpan<byte> rest = answer.TakenBack.Packed;
            for (var i = 0; i < answer.TakenBack.Count; i++)
            {
                var key = KeyBatch.Next(ref rest);
                lease.Load?.Void(key);
                _copies.Remove(key, RemovalCause.Invalidated);
            }

            (lease.Session, lease.Acknowledged) = (answer.Session, answer.Sequence);
            lease.Basis = answer.Basis;
            lease.ValidUntil = sent + (answer.ValidMilliseconds * _time.TimestampFrequency / 1_000);
            lease.UnconfirmedUntil = sent + (answer.UnconfirmedMilliseconds * _time.TimestampFrequency / 1_000);
            _copies.RemoveExpired(SweptAtMost);
        }
    }

    /// <summary>A lease is not used any more.</summary>
    /// <returns>What the node called it.</returns>
    public long End(NodeLease lease)
    {
        lock (_lock)
        {
            var session = lease.Session;
            (lease.Number, lease.Session, lease.ValidUntil, lease.UnconfirmedUntil) = (++_lastLease, 0, long.MinValue, long.MinValue);
            return session;
        }
    }

    /// <summary>Takes the keys that were answered from copies since the last time.</summary>
    public KeyBatch TakeHits(NodeLease lease)
    {
        lock (_lock)
        {
            var hits = new KeyBatch(lease.Hits, lease.HitKeys.WrittenSpan.ToArray());
            ReadOnlySpan<byte> rest = hits.Packed;
            for (; lease.Hits > 0; lease.Hits--)
            {
                if (_copies.TryFind(KeyBatch.Next(ref rest), out var copy))
                {
                    _copies.SetUses(copy, 0);
                }
            }

            lease.HitKeys.ResetWrittenCount();
            return hits;
        }
    }

    private void Keep(NodeLease lease, ReadOnlySpan<byte> key, in Lookup answer, ReadOnlyMemory<byte> value, long sent)
    {
        // Counted from the sending, and so older, and fresh for less long, than it is.
        var age = answer.AgeMilliseconds * _time.TimestampFrequency / 1_000;
        var life = TimeSpan.FromMilliseconds(answer.AgeMilliseconds) + TimeSpan.FromMilliseconds(answer.FreshMilliseconds);
        if (answer.Status == LookupStatus.Found)
        {
            _copies.Put(key, value.Span, sent - age, life, lease.Number);
        }
        else
        {
            _copies.PutAbsent(key, sent - age, life, lease.Number);
        }
    }

    private void Compare(NodeLease lease, ReadOnlySpan<byte> key, LookupStatus status, ReadOnlySpan<byte> value)
    {
        // An error says nothing of the key; nor does a node whose own session is silent: it still has what it does not answer with.
        if (status == LookupStatus.Failed || (status == LookupStatus.Miss && _time.GetTimestamp() >= lease.ValidUntil))
        {
            return;
        }

        if (_copies.TryFind(key, out var copy)
            && !(copy.Absent ? status == LookupStatus.Absent : status == LookupStatus.Found && value.SequenceEqual(copy.Value.Span)))
        {
            _copies.Remove(key, RemovalCause.Invalidated);
        }
    }
}

/// <summary>A look-up that is under way.</summary>
/// <param name="lease">Under which lease it was sent.</param>
/// <param name="sent">When.</param>
internal sealed class NearLoad(int lease, long sent)
{
    private HashSet<byte[]>? _voided;

    public int Lease => lease;

    public long Sent => sent;

    /// <summary>What it says of a key is not to be kept.</summary>
    public void Void(ReadOnlySpan<byte> key) => (_voided ??= new(KeyComparer.Instance)).GetAlternateLookup<ReadOnlySpan<byte>>().Add(key);

    /// <summary>Whether that is so.</summary>
    public bool Voids(ReadOnlySpan<byte> key) => _voided is not null && _voided.GetAlternateLookup<ReadOnlySpan<byte>>().Contains(key);
}
