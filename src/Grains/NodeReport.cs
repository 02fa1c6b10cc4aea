using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Placement;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Grains;

/// <summary>What a node says of itself, to gateways and to operators.</summary>
internal sealed class NodeReport(
    ILocalSiloDetails silo, CacheOptions options, CoherenceOptions coherence, IOrigin origin, Session session, Ownership ownership, Leases leases, NodeMetrics metrics, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();

    public NodeState State => new()
    {
        Draining = ownership.Draining,
        OriginFault = origin.Health.Fault,
        CoherenceKnown = session.Opened,
        Joined = ownership.Joined,
        View = ownership.View,
        ClockMilliseconds = (long)time.GetElapsedTime(_started).TotalMilliseconds,
    };

    public NodeStats Stats => new()
    {
        Node = Ownership.NodeName(silo.SiloAddress),
        UptimeSeconds = Math.Round(time.GetElapsedTime(_started).TotalSeconds, 3),
        Entries = metrics.Entries,
        Bytes = metrics.Bytes,
        Capacity = options.MaximumEntries,
        CapacityBytes = options.MaximumBytes,
        Hits = metrics.Hits,
        Misses = metrics.Misses,
        Evictions = metrics.Evictions,
        Expirations = metrics.Expirations,
        Loads = metrics.Loads,
        LoadFailures = metrics.LoadFailures,
        Collapsed = metrics.Collapsed,
        Writes = metrics.Writes,
        WriteFailures = metrics.WriteFailures,
        RedisLatencyMilliseconds = Math.Round(origin.LatencyMilliseconds, 3),
        RedisFault = origin.Health.Fault,
        Draining = ownership.Draining,
        Freshness = session.Basis,
        FreshnessBound = session.Basis switch
        {
            Freshness.Tracking => FormattableString.Invariant($"a change in Redis is seen as soon as it says so, at most {coherence.Bound.TotalSeconds} s later"),
            Freshness.Expiry => FormattableString.Invariant($"at most {options.TimeToLive.TotalSeconds} s old (RECORD_EXPIRY)"),
            _ => "nothing cached counts as fresh: Redis is asked",
        },
        MillisecondsSinceConfirmed = session.MillisecondsSinceConfirmed is { } since ? Math.Round(since) : null,
        Invalidations = metrics.Invalidations,
        Flushes = metrics.Flushes,
        VoidedLoads = metrics.VoidedLoads,
        StaleAnswers = metrics.Stale,
        Settled = metrics.Settled,
        Joined = ownership.Joined,
        StaleIfErrorAnswers = metrics.StaleIfError,
        RefreshesAhead = metrics.RefreshesAhead,
        ShedWaiters = metrics.ShedWaiters,
        Touches = metrics.Touches,
        TouchesDropped = metrics.TouchesDropped,
        Leases = leases.Count,
        Copies = leases.Copies,
        TrackingTableKeys = metrics.TrackingTable?.Keys,
        TrackingTableItems = metrics.TrackingTable?.Items,
        TrackingTableLimit = metrics.TrackingTable?.Limit,
    };

    /// <summary>The timestamp of this process at which its clock shows, or showed, so many milliseconds (<see cref="NodeState.ClockMilliseconds"/>).</summary>
    public long TimestampAt(long clockMilliseconds) => _started + clockMilliseconds * time.TimestampFrequency / 1_000;
}
