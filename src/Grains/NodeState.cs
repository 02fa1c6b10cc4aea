using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Grains;

/// <summary>What a node says of itself when it is pinged.</summary>
[GenerateSerializer, Immutable, Alias("rporleans.NodeState")]
public readonly record struct NodeState
{
    /// <summary>Whether the node is about to leave: it keeps nothing any more, and reads should go to the next in the ring.</summary>
    [Id(0)] public bool Draining { get; init; }

    /// <summary>Whether Redis answers this node, and, if not, why.</summary>
    [Id(1)] public OriginFault OriginFault { get; init; }

    /// <summary>The node's monotonic clock, in milliseconds from an arbitrary start.</summary>
    [Id(2)] public long ClockMilliseconds { get; init; }

    /// <summary>Whether it is known since the start whether Redis tells of changes.</summary>
    [Id(3)] public bool CoherenceKnown { get; init; }

    /// <summary>Whether every other node knows of this one; until then it only stands in.</summary>
    [Id(4)] public bool Joined { get; init; }

    /// <summary>The version of the membership table that the node's view is of.</summary>
    [Id(5)] public long View { get; init; }
}

/// <summary>A node's figures since it started.</summary>
[GenerateSerializer, Immutable, Alias("rporleans.NodeStats")]
public sealed record NodeStats
{
    /// <summary>The node's address.</summary>
    [Id(0)] public required string Node { get; init; }

    /// <summary>Seconds since the node started.</summary>
    [Id(1)] public double UptimeSeconds { get; init; }

    /// <summary>Entries held now.</summary>
    [Id(2)] public long Entries { get; init; }

    /// <summary>Bytes held now: keys, values and overhead.</summary>
    [Id(3)] public long Bytes { get; init; }

    /// <summary>Entries that may be held at most.</summary>
    [Id(4)] public long Capacity { get; init; }

    /// <summary>Bytes that may be held at most.</summary>
    [Id(5)] public long CapacityBytes { get; init; }

    /// <summary>Reads answered from memory.</summary>
    [Id(6)] public long Hits { get; init; }

    /// <summary>Reads that were not.</summary>
    [Id(7)] public long Misses { get; init; }

    /// <summary>Entries that left for want of space.</summary>
    [Id(8)] public long Evictions { get; init; }

    /// <summary>Entries that left because their time was up.</summary>
    [Id(9)] public long Expirations { get; init; }

    /// <summary>Reads of Redis that were begun.</summary>
    [Id(10)] public long Loads { get; init; }

    /// <summary>Reads of Redis that gave no usable answer.</summary>
    [Id(11)] public long LoadFailures { get; init; }

    /// <summary>Misses that waited for another's read of Redis.</summary>
    [Id(12)] public long Collapsed { get; init; }

    /// <summary>Writes that Redis acknowledged.</summary>
    [Id(13)] public long Writes { get; init; }

    /// <summary>Writes that it did not.</summary>
    [Id(14)] public long WriteFailures { get; init; }

    /// <summary>Mean time that Redis took for a read lately, in milliseconds.</summary>
    [Id(15)] public double RedisLatencyMilliseconds { get; init; }

    /// <summary>What is known of Redis: <c>None</c> when it answers.</summary>
    [Id(16)] public OriginFault RedisFault { get; init; }

    /// <summary>Whether the node is about to leave.</summary>
    [Id(17)] public bool Draining { get; init; }

    /// <summary>What the freshness of cached answers rests on now.</summary>
    [Id(18)] public Freshness Freshness { get; init; }

    /// <summary>The same in words, with the bound that holds.</summary>
    [Id(19)] public string FreshnessBound { get; init; } = "";

    /// <summary>Milliseconds since Redis confirmed last that it has told of every change; <see langword="null"/> where it does not.</summary>
    [Id(20)] public double? MillisecondsSinceConfirmed { get; init; }

    /// <summary>Keys that Redis told of: changed, expired, evicted, or no longer remembered by it.</summary>
    [Id(21)] public long Invalidations { get; init; }

    /// <summary>Times that Redis told of everything at once (<c>FLUSHALL</c>, <c>FLUSHDB</c>).</summary>
    [Id(22)] public long Flushes { get; init; }

    /// <summary>Loads and writes whose answer was not kept, because something happened to the key meanwhile.</summary>
    [Id(23)] public long VoidedLoads { get; init; }

    /// <summary>Answers from copies that Redis could not be asked to confirm, and that had not expired.</summary>
    [Id(24)] public long StaleAnswers { get; init; }

    /// <summary>Writes that another node carried out in this one's place, and that dropped a copy here.</summary>
    [Id(25)] public long Settled { get; init; }

    /// <summary>Whether every other node knows of this one; until then it only stands in.</summary>
    [Id(26)] public bool Joined { get; init; }

    /// <summary>Answers from copies that had expired, within <c>STALE_IF_ERROR</c>, since Redis could not be read.</summary>
    [Id(27)] public long StaleIfErrorAnswers { get; init; }

    /// <summary>Loads that were begun in the background, before an often-asked entry expired.</summary>
    [Id(28)] public long RefreshesAhead { get; init; }

    /// <summary>Reads that were refused because too many others waited for the same load.</summary>
    [Id(29)] public long ShedWaiters { get; init; }

    /// <summary>Keys that Redis tracks, for all nodes together; <see langword="null"/> where it does not.</summary>
    [Id(30)] public long? TrackingTableKeys { get; init; }

    /// <summary>Pairs of such a key and a connection that read it.</summary>
    [Id(31)] public long? TrackingTableItems { get; init; }

    /// <summary>Most keys that it tracks (<c>tracking-table-max-keys</c>); 0 for no limit, <see langword="null"/> when it does not say.</summary>
    [Id(32)] public long? TrackingTableLimit { get; init; }

    /// <summary>Keys that Redis was told were read (<c>TOUCH_SAMPLE</c>).</summary>
    [Id(33)] public long Touches { get; init; }

    /// <summary>Those that it was not told of, being slow or ill.</summary>
    [Id(34)] public long TouchesDropped { get; init; }

    /// <summary>Gateways that hold copies on a lease, or may.</summary>
    [Id(35)] public int Leases { get; init; }

    /// <summary>Keys of which gateways hold copies.</summary>
    [Id(36)] public int Copies { get; init; }
}
