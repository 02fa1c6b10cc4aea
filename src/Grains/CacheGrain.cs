using System.Diagnostics;
using Orleans.Concurrency;
using Orleans.Placement;
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
    HeldEntries entries,
    IOrigin origin,
    Ownership ownership,
    NodeMetrics metrics,
    NodeReport report,
    ILocalSiloDetails silo,
    TimeProvider time) : Grain, ICacheGrain
{
    /// <summary>How long an owner may take over a read in all: two attempts at Redis and a margin.</summary>
    private static readonly TimeSpan _readBudget = TimeSpan.FromMilliseconds(550);

    /// <summary>How often expired entries give their memory back, and how many at a time.</summary>
    private static readonly TimeSpan _sweepPeriod = TimeSpan.FromMilliseconds(100);
    private const int SweepAtMost = 20_000;

    /// <summary>A batch stops carrying values here: the rest is asked for one by one. Far below Orleans's largest message, 100 MB.</summary>
    private const int BatchBytesAtMost = 8 * 1024 * 1024;

    /// <summary>
    /// A node that had no turn for so long was hung: gateways gave it up, and others have written its keys since. Shorter
    /// pauses than this are too common on a busy machine to drop everything for; what was written during one is seen
    /// within <c>RECORD_EXPIRY</c>.
    /// </summary>
    private static readonly TimeSpan _absence = TimeSpan.FromSeconds(2);

    private readonly SingleFlight<Lookup> _flights = new(KeyComparer.Instance);
    private readonly NextFlight<Lookup> _refreshes = new(KeyComparer.Instance);
    private readonly NextFlight<Lookup> _bypasses = new(KeyComparer.Instance);
    private long _ownershipVersion;
    private long _lastTurn = TimeProvider.System.GetTimestamp(); // not the clock by which entries age: it is the process that hangs

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (!SiloAddress.FromParsableString(this.GetPrimaryKeyString()).Equals(silo.SiloAddress))
        {
            throw new InvalidOperationException($"This is the cache of another silo than {silo.SiloAddress}.");
        }

        _ownershipVersion = ownership.Version;
        this.RegisterGrainTimer(Sweep, new GrainTimerCreationOptions(_sweepPeriod, _sweepPeriod) { Interleave = true, KeepAlive = true });
        return Task.CompletedTask;
    }

    public ValueTask<LookupBatch> PeekAsync(KeyBatch keys)
    {
        metrics.Requests++;
        DropWhatMayHaveChanged();
        var items = new Lookup[keys.Keys.Length];
        var carried = 0;
        for (var i = 0; i < items.Length; i++)
        {
            // What does not fit any more is a miss here, and is found by the read that follows.
            if (carried < BatchBytesAtMost && entries.TryHit(keys.Keys[i], out items[i]))
            {
                carried += items[i].Value!.Length;
            }
        }

        return ValueTask.FromResult(new LookupBatch(items));
    }

    public ValueTask<Lookup> ReadAsync(ReadRequest request)
    {
        metrics.Requests++;
        DropWhatMayHaveChanged();
        return ownership.Owns(request.Key)
            ? request.Mode switch
            {
                ReadMode.Normal => ReadAsOwner(request.Key),
                ReadMode.Refresh => new(ReadAfterArrivalAsync(request.Key, keep: true)),
                _ => new(ReadAfterArrivalAsync(request.Key, keep: false)),
            }
            : new(ReadAfterArrivalAsync(request.Key, keep: false)); // a stand-in keeps nothing
    }

    public async ValueTask<WriteOutcome> WriteAsync(WriteRequest request)
    {
        metrics.Requests++;
        DropWhatMayHaveChanged();
        var key = request.Key;
        TimeSpan? expiry = request.ExpiryMilliseconds > 0 ? TimeSpan.FromMilliseconds(request.ExpiryMilliseconds) : null;
        var deadline = report.TimestampAt(request.DeadlineMilliseconds);

        // From here on no reader is given the older value as fresh, and no load that was sent before may be kept.
        entries.Remove(key, RemovalCause.Invalidated);
        var flight = _flights.Begin(key);
        var sent = time.GetTimestamp();
        try
        {
            var done = await origin.WriteAsync(new OriginWrite(key, request.Value, expiry, request.OnlyIfAbsent), deadline);
            metrics.Writes++;
            var stored = Keep(flight, done ? request.Value : null, sent, Life(expiry));
            return new WriteOutcome { Status = done ? WriteStatus.Done : WriteStatus.ConditionFailed, Stored = stored };
        }
        catch (OriginException failure)
        {
            metrics.WriteFailures++;
            Keep(flight, value: null, sent, TimeSpan.Zero);
            return new WriteOutcome { Status = WriteStatus.Failed, Fault = failure.Fault, OutcomeUnknown = failure.OutcomeUnknown };
        }
    }

    public ValueTask<NodeState> PingAsync() => ValueTask.FromResult(report.State);

    public ValueTask<NodeStats> StatsAsync() => ValueTask.FromResult(report.Stats);

    private ValueTask<Lookup> ReadAsOwner(byte[] key)
    {
        if (entries.TryHit(key, out var hit))
        {
            return new(hit);
        }

        metrics.Misses++;
        if (_flights.Joinable(key) is { } running)
        {
            metrics.Collapsed++;
            return new(JoinAsync(running));
        }

        // One load per key, however many are waiting; it goes on whoever goes away.
        var flight = _flights.Begin(key);
        flight.Load = LoadAsync(key, flight, keep: true, ReadDeadline());
        return new(flight.Load);
    }

    private static async Task<Lookup> JoinAsync(Task<Lookup> load) => (await load) with { Source = LookupSource.Collapsed };

    /// <summary>Reads what Redis holds after the reader has asked.</summary>
    private async Task<Lookup> ReadAfterArrivalAsync(byte[] key, bool keep)
    {
        metrics.Misses++;
        var deadline = ReadDeadline();
        var (lookup, joined) = await (keep ? _refreshes : _bypasses)
            .RunAsync(key, () => LoadAsync(key, _flights.Begin(key), keep, deadline));
        if (!joined)
        {
            return lookup;
        }

        metrics.Collapsed++;
        return lookup with { Source = LookupSource.Collapsed };
    }

    private async Task<Lookup> LoadAsync(byte[] key, SingleFlight<Lookup>.Flight flight, bool keep, long deadline)
    {
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
            _flights.End(flight);
            return Lookup.Failed(failure.Fault);
        }

        var life = Life(read.TimeToLive);
        var stored = Keep(flight, keep ? read.Value : null, sent, life);
        var age = time.GetElapsedTime(sent);
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

    /// <summary>Keeps an answer of Redis if nothing was begun for the key since it was asked for; one that is not kept drops the copy that is there.</summary>
    private bool Keep(SingleFlight<Lookup>.Flight flight, byte[]? value, long sent, TimeSpan life)
    {
        DropWhatMayHaveChanged();
        if (_flights.End(flight) && value is not null && ownership.Owns(flight.Key) && entries.Put(flight.Key, value, sent, life))
        {
            return true;
        }

        entries.Remove(flight.Key, RemovalCause.Invalidated);
        return false;
    }

    private Task Sweep(CancellationToken cancellation)
    {
        DropWhatMayHaveChanged();
        entries.RemoveExpired(SweepAtMost);
        return Task.CompletedTask;
    }

    private void DropWhatMayHaveChanged()
    {
        // The sweep alone has a turn every 100 ms.
        var now = TimeProvider.System.GetTimestamp();
        if (TimeProvider.System.GetElapsedTime(_lastTurn, now) > _absence && !ownership.Alone)
        {
            entries.Clear(RemovalCause.Invalidated);
            _flights.VoidAll();
        }

        _lastTurn = now;
        DropMovedKeys();
    }

    /// <summary>A node holds only keys that it owns in its own view: another owner may have written the rest.</summary>
    private void DropMovedKeys()
    {
        if (_ownershipVersion == ownership.Version)
        {
            return;
        }

        _ownershipVersion = ownership.Version;
        entries.RemoveWhere(key => !ownership.Owns(key), RemovalCause.Moved);
    }

    private TimeSpan Life(TimeSpan? timeToLive) =>
        timeToLive is { } left && left < options.TimeToLive ? left : options.TimeToLive;

    private long ReadDeadline() => time.GetTimestamp() + (long)(_readBudget.TotalSeconds * time.TimestampFrequency);
}
