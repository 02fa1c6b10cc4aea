using System.Runtime.InteropServices;
using RpOrleans.Grains.Lru;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Grains.Coherence;

// After Gray & Cheriton ("Leases", 1989). A gateway may answer from a copy while its lease holds, and the lease is renewed by a
// long poll whose answer carries what is taken back: so whoever renews has let go. A write waits until every holder of the key
// has said so, or cannot use its copies any more.
//
// The lock is taken within that of HeldEntries, never the other way round: a copy is granted in the same step in which the
// entry is read, and taken back in the step in which it leaves.

/// <summary>Which gateways hold copies of what this node holds, and until when they may use them.</summary>
/// <param name="options">The bound.</param>
/// <param name="session">The node's own session with Redis: no lease outlasts it.</param>
/// <param name="clock">The process's own clock.</param>
/// <param name="redisFails">Whether Redis is known to fail, so that the node refuses reads without asking it; <see langword="null"/> for never.</param>
internal sealed class Leases(CoherenceOptions options, Session session, TimeProvider clock, Func<bool>? redisFails = null)
{
    /// <summary>So many gateways can hold copies; others are served without.</summary>
    private const int HoldersAtMost = 64;

    /// <summary>Of more keys than so many no list is kept: all copies are taken back.</summary>
    private const int PendingAtMost = 4_096;

    /// <summary>Of more keys than so many it is not asked which are to be taken back, but all are: readers wait meanwhile.</summary>
    private const int LookedAtAtMost = 16_384;

    /// <summary>A gateway that has nothing to take back asks so many times in <c>COHERENCE_BOUND</c>.</summary>
    private const int Renewals = 5;

    /// <summary>The same while it may use what Redis has not confirmed: that is to end soon after Redis answers again.</summary>
    private const int RenewalsWhileRedisFails = 20;

    /// <summary>By how much the clocks of two machines may differ in their rate.</summary>
    private const double ClockRates = 1.01;

    private readonly Lock _lock = new();
    private readonly Holder?[] _holders = new Holder?[HoldersAtMost];
    private readonly Dictionary<byte[], ulong> _granted = new(KeyComparer.Instance);
    private readonly long _bound = (long)(options.Bound.TotalSeconds * ClockRates * clock.TimestampFrequency);
    private long _lastSession = Random.Shared.NextInt64(1, long.MaxValue / 2); // no other node, and no earlier process, gave the same
    private long _unknownUntil = long.MinValue;
    private int _count;

    /// <summary>How many gateways hold copies, or might.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Keys of which gateways hold copies.</summary>
    public int Copies => _granted.Count;

    /// <summary>Copies may be out that this node has not granted: it has just started, or another died whose keys fall to it. No write is acknowledged until they cannot be used any more.</summary>
    public void ExpectUnknown()
    {
        lock (_lock) _unknownUntil = clock.GetTimestamp() + _bound;
    }

    /// <summary>Renews a gateway's lease.</summary>
    public async ValueTask<LeaseAnswer> RenewAsync(LeaseRequest request)
    {
        var arrived = clock.GetTimestamp();
        Holder? holder;
        Task wake;
        lock (_lock)
        {
            if (request.Ends)
            {
                return End(request);
            }

            holder = HolderOf(request.Gateway);
            if (holder is null)
            {
                return new LeaseAnswer(0, 0, KeyBatch.Of(), All: true, ValidMilliseconds: 0, session.Basis); // there are too many
            }

            var known = request.Session == holder.Session;
            if (known)
            {
                holder.Acknowledge(request.Acknowledged); // what was acknowledged in another session counts for nothing
            }

            // What the node held before it lost Redis may have changed unheard.
            if (session.Number is not Session.None and var number && number != holder.Confirmed)
            {
                (holder.Session, holder.Confirmed) = (++_lastSession, number);
                known = false;
            }

            if (!known || holder.HasNews)
            {
                return Answer(holder, arrived);
            }

            wake = holder.Wake.Task;
        }

        await wake.WaitAsync(options.Bound / (LendsUnconfirmed(holder) ? RenewalsWhileRedisFails : Renewals), clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        lock (_lock)
        {
            return Answer(holder, arrived);
        }
    }

    /// <summary>Whose session that is, for grants; below zero for nobody's.</summary>
    public int Find(long sessionNumber)
    {
        lock (_lock)
        {
            return sessionNumber == 0 ? -1 : Array.FindIndex(_holders, holder => holder?.Session == sessionNumber);
        }
    }

    /// <summary>Notes that a gateway is given a copy of what is held under a key; to be called in the step in which that is read.</summary>
    /// <param name="holder">As <see cref="Find"/> said.</param>
    /// <param name="key">The key.</param>
    public void Grant(int holder, ReadOnlySpan<byte> key)
    {
        lock (_lock)
        {
            ref var mask = ref CollectionsMarshal.GetValueRefOrAddDefault(_granted.GetAlternateLookup<ReadOnlySpan<byte>>(), key, out _);
            mask |= 1UL << holder;
        }
    }

    /// <summary>What is held under a key is held no more, or replaced.</summary>
    public void TakeBack(ReadOnlySpan<byte> key)
    {
        if (_granted.Count == 0)
        {
            return; // it changes only in the lock of HeldEntries, as this does
        }

        lock (_lock)
        {
            if (_granted.GetAlternateLookup<ReadOnlySpan<byte>>().Remove(key, out var granted, out var mask))
            {
                for (var i = 0; mask != 0; i++, mask >>= 1)
                {
                    if ((mask & 1) != 0)
                    {
                        _holders[i]?.TakeBack(granted, PendingAtMost);
                    }
                }
            }
        }
    }

    /// <summary>What is held under the chosen keys is held no more.</summary>
    public void TakeBackWhere(KeyPredicate chosen)
    {
        lock (_lock)
        {
            if (_granted.Count > LookedAtAtMost)
            {
                TakeAllBack();
                return;
            }

            foreach (var key in _granted.Keys.Where(key => chosen(key)).ToList())
            {
                TakeBack(key);
            }
        }
    }

    /// <summary>Nothing is held any more.</summary>
    public void TakeAllBack()
    {
        lock (_lock)
        {
            _granted.Clear();
            foreach (var holder in _holders)
            {
                holder?.TakeAllBack();
            }
        }
    }

    /// <summary>Waits until no gateway answers from copies that have been taken back.</summary>
    /// <param name="keys">Of which keys; <see langword="null"/> for all.</param>
    public ValueTask ReleasedAsync(params byte[][]? keys) =>
        Volatile.Read(ref _count) == 0 && clock.GetTimestamp() >= Volatile.Read(ref _unknownUntil) ? ValueTask.CompletedTask : new(AllReleasedAsync(keys));

    private async Task AllReleasedAsync(byte[][]? keys)
    {
        List<(Holder Holder, long Sequence)> waiting;
        long unknownUntil;
        lock (_lock)
        {
            unknownUntil = _unknownUntil;
            waiting = [.. _holders.OfType<Holder>().Select(holder => (holder, holder.SequenceOf(keys))).Where(one => one.Item2 > one.holder.Acknowledged)];
        }

        foreach (var (holder, sequence) in waiting)
        {
            await ReleasedAsync(holder, sequence);
        }

        if (unknownUntil > clock.GetTimestamp())
        {
            await Task.Delay(clock.GetElapsedTime(clock.GetTimestamp(), unknownUntil), clock);
        }
    }

    private async Task ReleasedAsync(Holder holder, long sequence)
    {
        while (true)
        {
            Task acknowledged;
            TimeSpan left;
            lock (_lock)
            {
                var now = clock.GetTimestamp();
                if (holder.Acknowledged >= sequence || holder.LapsesAt <= now)
                {
                    return;
                }

                acknowledged = holder.Changed.Task;
                left = clock.GetElapsedTime(now, holder.LapsesAt) + TimeSpan.FromMilliseconds(1);
            }

            await acknowledged.WaitAsync(left, clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    /// <summary>A gateway has let go of everything. If meanwhile it has another session it has come back, and that one goes on.</summary>
    private LeaseAnswer End(LeaseRequest request)
    {
        var at = Array.FindIndex(_holders, holder => holder?.Gateway == request.Gateway && holder.Session == request.Session);
        if (at >= 0)
        {
            _holders[at]!.Acknowledge(long.MaxValue);
            _holders[at] = null;
            _count--;
        }

        return new LeaseAnswer(0, 0, KeyBatch.Of(), All: true, ValidMilliseconds: 0, session.Basis);
    }

    private Holder? HolderOf(Guid gateway)
    {
        if (Array.Find(_holders, holder => holder?.Gateway == gateway) is { } known)
        {
            return known;
        }

        var now = clock.GetTimestamp();
        var free = Array.FindIndex(_holders, holder => holder is null || holder.LapsesAt + (10 * _bound) <= now);
        if (free < 0)
        {
            return null;
        }

        _count += _holders[free] is null ? 1 : 0;
        return _holders[free] = new Holder(gateway) { LapsesAt = now };
    }

    /// <summary>From now on the gateway may use its copies again, but for those that it is told of.</summary>
    private LeaseAnswer Answer(Holder holder, long arrived)
    {
        var left = session.Left; // read before the number: it may be a new session's already
        var valid = session.Number != holder.Confirmed ? TimeSpan.Zero : left < options.Bound ? left : options.Bound;
        var unconfirmed = LendsUnconfirmed(holder) ? options.Bound : TimeSpan.Zero;
        holder.LapsesAt = Math.Max(holder.LapsesAt, arrived + _bound); // the gateway counts from when it asked, which was before
        return new LeaseAnswer(
            holder.Session, holder.Sequence, holder.TakenBack, holder.AllTakenBack, (int)valid.TotalMilliseconds, session.Basis, (int)unconfirmed.TotalMilliseconds);
    }

    /// <summary>Whether the gateway may do what the node does while Redis fails: answer with what was true when Redis last confirmed it. Not once there is a new session, whose number the gateway has not been told.</summary>
    private bool LendsUnconfirmed(Holder holder) =>
        options.Mode == CoherenceMode.Auto && redisFails?.Invoke() == true && session.Number is var number && (number == Session.None || number == holder.Confirmed);

    /// <summary>One gateway.</summary>
    private sealed class Holder(Guid gateway)
    {
        private readonly Dictionary<byte[], long> _pending = new(KeyComparer.Instance);
        private long _allAt;

        public Guid Gateway => gateway;

        /// <summary>Its session's number.</summary>
        public long Session { get; set; }

        /// <summary>The node's session with Redis in which the gateway's was given.</summary>
        public int Confirmed { get; set; } = Coherence.Session.None;

        /// <summary>From when on it cannot use any copy.</summary>
        public long LapsesAt { get; set; }

        public long Sequence { get; private set; }

        public long Acknowledged { get; private set; }

        /// <summary>Completed when there is something to take back.</summary>
        public TaskCompletionSource Wake { get; private set; } = New();

        /// <summary>Completed when it has acknowledged something.</summary>
        public TaskCompletionSource Changed { get; private set; } = New();

        public bool HasNews => _pending.Count > 0 || AllTakenBack;

        public bool AllTakenBack => _allAt > Acknowledged;

        public KeyBatch TakenBack => KeyBatch.Of([.. _pending.Keys]);

        public void TakeBack(byte[] key, int atMost)
        {
            if (_pending.Count >= atMost)
            {
                TakeAllBack();
                return;
            }

            _pending[key] = ++Sequence;
            Wake.TrySetResult();
        }

        public void TakeAllBack()
        {
            _allAt = ++Sequence;
            _pending.Clear();
            Wake.TrySetResult();
        }

        public void Acknowledge(long sequence)
        {
            if (sequence <= Acknowledged)
            {
                return;
            }

            Acknowledged = sequence;
            foreach (var (key, at) in _pending)
            {
                if (at <= sequence)
                {
                    _pending.Remove(key);
                }
            }

            Changed.TrySetResult();
            Changed = New();
            Wake = HasNews ? Wake : New();
        }

        /// <summary>The last take-back of these keys that it has not acknowledged.</summary>
        public long SequenceOf(byte[][]? keys) => keys is null ? Sequence : keys.Aggregate(_allAt, (last, key) => Math.Max(last, _pending.GetValueOrDefault(key)));

        private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
