using System.Buffers;
using System.Diagnostics;
using Orleans.Concurrency;
using Orleans.Placement;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Loading;
using RpOrleans.Grains.Lru;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Placement;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Grains;

/// <summary>One node's cache: an LRU in front of Redis, for the keys that the node owns.</summary>
// The grain runs one turn at a time: what stands between two awaits is one step.
[OwnerPlacement, KeepAlive, Immovable]
internal sealed class CacheGrain(
    CacheOptions options,
    CoherenceOptions coherence,
    HeldEntries entries,
    Session session,
    IOrigin origin,
    Ownership ownership,
    Settlement settlement,
    Leases leases,
    NodeMetrics metrics,
    NodeReport report,
    ILocalSiloDetails silo,
    Random chance,
    TimeProvider time) : Grain, ICacheGrain
{
    /// <summary>How long an owner may take over a read in all: two attempts at Redis and a margin.</summary>
    private static readonly TimeSpan _readBudget = TimeSpan.FromMilliseconds(550);

    /// <summary>How long another node's caller waits for this node to read the membership table.</summary>
    private static readonly TimeSpan _refreshAtMost = TimeSpan.FromMilliseconds(300);

    /// <summary>How often expired entries give their memory back, and how many at a time.</summary>
    private static readonly TimeSpan _sweepPeriod = TimeSpan.FromMilliseconds(100);
    private const int SweepAtMost = 20_000;

    /// <summary>The same where no gateway calls: each that does calls so often that a turn of the timer's own would only wake threads.</summary>
    private static readonly TimeSpan _sweepPeriodUncalled = TimeSpan.FromMilliseconds(500);

    /// <summary>A batch stops carrying values here: the rest is asked for one by one. Far below Orleans's largest message, 100 MB.</summary>
    private const int BatchBytesAtMost = 8 * 1024 * 1024;

    /// <summary>Room for more than this is not kept for the next batch.</summary>
    private const int UsualBatchBytes = 1024 * 1024;

    private readonly NextFlight<Lookup> _refreshes = new(KeyComparer.Instance);
    private readonly NextFlight<Lookup> _bypasses = new(KeyComparer.Instance);
    private ArrayBufferWriter<byte> _answers = new();
    private long _ownershipVersion;
    private long _sweptAt;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (!SiloAddress.FromParsableString(this.GetPrimaryKeyString()).Equals(silo.SiloAddress))
        {
            throw new InvalidOperationException($"This is the cache of another silo than {silo.SiloAddress}.");
        }

        _ownershipVersion = ownership.Version;
        var turns = TaskScheduler.Current; // a hit is found on any thread, a load begins in a turn of the grain's own
        entries.RefreshDue = key => Task.Factory.StartNew(() => RefreshAhead(key), CancellationToken.None, TaskCreationOptions.None, turns);
        this.RegisterGrainTimer(
            _ =>
            {
                SweepIfDue();
                return Task.CompletedTask;
            },
            new GrainTimerCreationOptions(_sweepPeriodUncalled, _sweepPeriodUncalled) { Interleave = true, KeepAlive = true });
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        entries.RefreshDue = null;
        return Task.CompletedTask;
    }

    public ValueTask<LookupBatch> PeekAsync(KeyBatch keys)
    {
        metrics.Requests++;
        DropMovedKeys();
        _answers.ResetWrittenCount();
        var now = time.GetTimestamp();
        var refusal = origin.Health.Refusal;
        var holder = leases.Find(keys.Lease);
        ReadOnlySpan<byte> rest = keys.Packed;
        for (var i = 0; i < keys.Count; i++)
        {
            var key = KeyBatch.Next(ref rest, out var wanted);
            // What does not fit any more is a miss here, and is found by the read that follows.
            var answer = default(Lookup);
            if (_answers.WrittenCount < BatchBytesAtMost && !entries.TryHit(key, wanted ? holder : -1, now, out answer) && refusal is { } fault && !TryCopy(key.ToArray(), null, out answer))
            {
                metrics.Misses++;
                answer = Refuse(fault);
            }

            LookupBatch.Pack(_answers, answer);
        }

        var batch = LookupBatch.Of(_answers.WrittenSpan);
        _answers = _answers.Capacity > UsualBatchBytes ? new() : _answers;
        return ValueTask.FromResult(batch);
    }

    public async ValueTask<LeaseAnswer> LeaseAsync(LeaseRequest request)
    {
        SweepIfDue();
        NoteHits(request.Hits);
        var answer = await leases.RenewAsync(request);
        return answer with { State = report.State };
    }

    public ValueTask<Lookup> ReadAsync(ReadRequest request)
    {
        metrics.Requests++;
        DropMovedKeys();
        return ownership.Owns(request.Key)
            ? request.Mode switch
            {
                ReadMode.Normal => ReadAsOwner(request),
                ReadMode.Refresh => new(ReadAfterArrivalAsync(request.Key, keep: true)),
                ReadMode.Held => new(TryCopy(request.Key, request.Copies, out var copy) ? copy : default),
                _ => new(ReadAfterArrivalAsync(request.Key, keep: false)),
            }
            : request.Mode == ReadMode.Held ? default
            : new(ReadAfterArrivalAsync(request.Key, keep: false)); // a stand-in keeps nothing
    }

    public async ValueTask<WriteOutcome> WriteAsync(WriteRequest request)
    {
        metrics.Requests++;
        DropMovedKeys();
        metrics.WritesUnderWay++;
        var key = request.Key;
        TimeSpan? expiry = request.ExpiryMilliseconds > 0 ? TimeSpan.FromMilliseconds(request.ExpiryMilliseconds) : null;
        var deadline = report.TimestampAt(request.DeadlineMilliseconds);

        var flight = entries.BeginWrite(key);
        var sent = time.GetTimestamp();
        try
        {
            var (done, now) = await origin.WriteAsync(new OriginWrite(key, request.Value, expiry, request.OnlyIfAbsent), deadline);
            metrics.Writes++;
            var stored = Keep(flight, now, sent);
            await leases.ReleasedAsync(key);
            if (!ownership.Owns(key)) // only now: another may have become the owner while Redis was asked
            {
                await settlement.SettleAsync([key]);
            }

            return new WriteOutcome { Status = done ? WriteStatus.Done : WriteStatus.ConditionFailed, Stored = stored };
        }
        catch (OriginException failure)
        {
            metrics.WriteFailures++;
            Keep(flight, null, sent);
            return new WriteOutcome { Status = WriteStatus.Failed, Fault = failure.Fault, OutcomeUnknown = failure.OutcomeUnknown };
        }
        finally
        {
            metrics.WritesUnderWay--;
        }
    }

    public async ValueTask WrittenAsync(WrittenKeys written)
    {
        metrics.Requests++;
        metrics.WritesUnderWay++;
        try
        {
            DropMovedKeys();
            entries.Drop(written.Keys);
            await leases.ReleasedAsync(written.Keys);
            var others = written.Keys?.Where(key => !ownership.Owns(key)).ToArray();
            if (others is not { Length: 0 })
            {
                await settlement.SettleAsync(others);
            }
        }
        finally
        {
            metrics.WritesUnderWay--;
        }
    }

    public async ValueTask<long> SettleAsync(SettleRequest request)
    {
        metrics.Settled++;
        entries.Drop(request.Keys);
        await leases.ReleasedAsync(request.Keys);
        await RefreshAsync(request.View);
        return await LetGoAsync(ownership.View);
    }

    public async ValueTask<long> ConfirmAsync(long view)
    {
        await RefreshAsync(view);
        return await LetGoAsync(ownership.Admit());
    }

    public ValueTask<Explanation> ExplainAsync(byte[] key)
    {
        DropMovedKeys();
        return ValueTask.FromResult(entries.Explain(key) with { Node = Ownership.NodeName(silo.SiloAddress), Owner = ownership.Owns(key) });
    }

    public ValueTask<NodeState> PingAsync()
    {
        SweepIfDue();
        return ValueTask.FromResult(report.State);
    }

    public ValueTask<NodeStats> StatsAsync() => ValueTask.FromResult(report.Stats);

    private async Task RefreshAsync(long view)
    {
        try
        {
            using var patience = new CancellationTokenSource(_refreshAtMost, time);
            await ownership.RefreshAsync(view, patience.Token);
        }
        catch (Exception)
        {
            // The table cannot be read: the answer says with which view this node goes on.
        }
    }

    /// <summary>Waits until nobody answers any more from what this node does not own now.</summary>
    private async Task<long> LetGoAsync(long view)
    {
        DropMovedKeys();
        await leases.ReleasedAsync(null);
        return view;
    }

    private ValueTask<Lookup> ReadAsOwner(ReadRequest request)
    {
        var key = request.Key;
        if (entries.TryHit(key, out var hit))
        {
            return request.Copies is not { } terms || terms.Accept(hit) ? new(hit) : new(ReadAfterArrivalAsync(key, keep: true));
        }

        // Without a valid session a load may have been sent before something that the reader knows of, and nobody would have said so.
        if (session.Basis == Freshness.Unconfirmed)
        {
            return new(OrCopyAsync(request, ReadAfterArrivalAsync(key, keep: true)));
        }

        metrics.Misses++;
        if (entries.Joinable(key) is { } running)
        {
            if (!entries.TryJoin(running))
            {
                return new(Shed());
            }

            metrics.Collapsed++;
            return new(OrCopyAsync(request, JoinAsync(running)));
        }

        // One load per key, however many are waiting; it goes on whoever goes away.
        var flight = entries.BeginLoad(key);
        flight.Load = LoadAsync(key, flight, keep: true, ReadDeadline());
        return new(OrCopyAsync(request, flight.Load));
    }

    /// <summary>What Redis says; where it says nothing, a copy that it has not confirmed or that has expired, if such are served.</summary>
    private async Task<Lookup> OrCopyAsync(ReadRequest request, Task<Lookup> load)
    {
        var lookup = await load;
        DropMovedKeys();
        return lookup.Status == LookupStatus.Failed && TryCopy(request.Key, request.Copies, out var copy) ? copy : lookup;
    }

    /// <summary>What may be served without asking Redis; with <c>COHERENCE=tracking</c> nothing that it has not confirmed, and so of what has expired only what it would have told of.</summary>
    private bool TryCopy(byte[] key, CopyTerms? terms, out Lookup copy) =>
        entries.TryStale(key, terms, confirmedOnly: coherence.Mode == CoherenceMode.Tracking, out copy);

    /// <summary>Reads an often-asked key before its entry expires, so that nobody has to wait for it then. Where that fails, the entry stays as it is.</summary>
    private void RefreshAhead(byte[] key)
    {
        DropMovedKeys();
        if (origin.Health.Answers && entries.BeginRefresh(key) is { } flight)
        {
            metrics.RefreshesAhead++;
            flight.Load = LoadAsync(key, flight, keep: true, ReadDeadline());
        }
    }

    /// <summary>A read that is not even begun: while Redis is ill there are many, and an exception would cost each of them more than all else.</summary>
    private Lookup Refuse(OriginFault refusal)
    {
        metrics.Loads++;
        metrics.LoadFailures++;
        return Lookup.Failed(refusal);
    }

    private Lookup Shed()
    {
        metrics.ShedWaiters++;
        return Lookup.Failed(OriginFault.Shed);
    }

    private async Task<Lookup> JoinAsync(SingleFlight<Lookup>.Flight running)
    {
        var lookup = await running.Load!;
        return running.Overdue ? await ReadAfterArrivalAsync(running.Key, keep: true) : lookup with { Source = LookupSource.Collapsed };
    }

    /// <summary>Reads what Redis holds after the reader has asked.</summary>
    private async Task<Lookup> ReadAfterArrivalAsync(byte[] key, bool keep)
    {
        metrics.Misses++;
        var deadline = ReadDeadline();
        var load = (keep ? _refreshes : _bypasses).Run(key, () => LoadAsync(key, entries.BeginLoad(key), keep, deadline), out var joined);
        if (load is null)
        {
            return Shed();
        }

        var lookup = await load;
        if (!joined)
        {
            return lookup;
        }

        metrics.Collapsed++;
        return lookup with { Source = LookupSource.Collapsed };
    }

    private async Task<Lookup> LoadAsync(byte[] key, SingleFlight<Lookup>.Flight flight, bool keep, long deadline)
    {
        if (origin.Health.Refusal is { } refusal)
        {
            entries.Fail(flight);
            return Refuse(refusal);
        }

        metrics.Loads++;
        var sent = time.GetTimestamp(); // an entry's life counts from before Redis was asked
        OriginValue read;
        try
        {
            read = await origin.ReadAsync(key, deadline);
        }
        catch (OriginException failure)
        {
            metrics.LoadFailures++;
            entries.Fail(flight);
            return Lookup.Failed(failure.Fault);
        }

        var stored = Keep(flight, keep ? read : null, sent, out var life);
        var age = time.GetElapsedTime(sent);
        flight.Overdue = read.TimeToLive <= age;
        return new Lookup
        {
            Status = read.Kind switch
            {
                OriginValueKind.Found => LookupStatus.Found,
                OriginValueKind.Absent => LookupStatus.Absent,
                OriginValueKind.WrongType => LookupStatus.WrongType,
                OriginValueKind.TooLarge => LookupStatus.TooLarge,
                _ => throw new UnreachableException($"Unknown kind {read.Kind}."),
            },
            Source = LookupSource.Origin,
            Value = read.Value,
            Stored = stored,
            AgeMilliseconds = (long)age.TotalMilliseconds,
            FreshMilliseconds = stored ? (long)(life - age).TotalMilliseconds : 0,
        };
    }

    /// <summary>Ends a load or a write, and keeps what Redis holds, if this node owns the key and nothing came between.</summary>
    private bool Keep(SingleFlight<Lookup>.Flight flight, OriginValue? read, long sent) => Keep(flight, read, sent, out _);

    private bool Keep(SingleFlight<Lookup>.Flight flight, OriginValue? read, long sent, out TimeSpan life)
    {
        DropMovedKeys();
        // Shortened at random, each by itself: what is loaded together does not expire together.
        life = read is { } value ? Life(value, flight.Session) * (1 - (options.ExpiryJitter * chance.NextDouble())) : TimeSpan.Zero;
        return entries.End(flight, life > TimeSpan.Zero && ownership.Owns(flight.Key), read?.Value, sent, life, read?.TimeToLive);
    }

    private void NoteHits(KeyBatch hits)
    {
        ReadOnlySpan<byte> rest = hits.Packed;
        for (var i = 0; i < hits.Count; i++)
        {
            entries.NoteHit(KeyBatch.Next(ref rest));
        }
    }

    private void SweepIfDue()
    {
        DropMovedKeys();
        var now = time.GetTimestamp();
        if (time.GetElapsedTime(_sweptAt, now) >= _sweepPeriod)
        {
            _sweptAt = now;
            entries.RemoveExpired(SweepAtMost);
        }
    }

    /// <summary>A node holds only keys that it owns in its own view: another owner may have written the rest.</summary>
    private void DropMovedKeys()
    {
        if (_ownershipVersion == ownership.Version)
        {
            return;
        }

        _ownershipVersion = ownership.Version;
        if (entries.DropMoved(ownership.Moved()))
        {
            _ = Task.Run(entries.SweepMoved); // not in a turn: it takes seconds with millions of entries
        }
    }

    /// <summary>How long an answer may be served. That a key is absent holds like a value where Redis tells when it is created.</summary>
    private TimeSpan Life(in OriginValue read, int number) => read.Kind switch
    {
        OriginValueKind.Found => read.TimeToLive is { } left && left < options.TimeToLive ? left : options.TimeToLive,
        OriginValueKind.Absent when session.Confirms(number, out var basis) && basis == Freshness.Tracking => options.TimeToLive,
        OriginValueKind.Absent => options.AbsentTimeToLive < options.TimeToLive ? options.AbsentTimeToLive : options.TimeToLive,
        _ => TimeSpan.Zero,
    };

    private long ReadDeadline() => time.GetTimestamp() + (long)(_readBudget.TotalSeconds * time.TimestampFrequency);
}
