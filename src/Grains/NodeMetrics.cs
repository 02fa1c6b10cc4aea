using System.Diagnostics.Metrics;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Lru;

namespace RpOrleans.Grains;

/// <summary>What a node counts. Written by the grain, one turn at a time; read from anywhere.</summary>
internal sealed class NodeMetrics : IDisposable
{
    /// <summary>The name of the meter, for whoever listens.</summary>
    public const string MeterName = "rporleans.node";

    private readonly Meter _meter = new(MeterName);

    private readonly LruCache _entries;

    public NodeMetrics(LruCache entries)
    {
        _entries = entries;
        _meter.CreateObservableCounter("rporleans.cache.lookups", () => new Measurement<long>[]
        {
            new(Hits, new KeyValuePair<string, object?>("outcome", "hit")),
            new(Misses, new KeyValuePair<string, object?>("outcome", "miss")),
        });
        _meter.CreateObservableCounter("rporleans.cache.removals", () => new Measurement<long>[]
        {
            new(Evictions, new KeyValuePair<string, object?>("cause", "evicted")),
            new(Expirations, new KeyValuePair<string, object?>("cause", "expired")),
        });
        _meter.CreateObservableCounter("rporleans.origin.loads", () => Loads);
        _meter.CreateObservableGauge("rporleans.cache.entries", () => Entries);
        _meter.CreateObservableGauge("rporleans.cache.bytes", () => Bytes, "By");
    }

    public long Hits, Misses, Loads, LoadFailures, Collapsed, Writes, WriteFailures;

    /// <summary>Keys and flushes that Redis told of, loads whose answer was overtaken, and copies served unconfirmed.</summary>
    public long Invalidations, Flushes, VoidedLoads, Stale;

    /// <summary>Copies served past their expiry, entries read again before it, and readers refused since too many waited for a load.</summary>
    public long StaleIfError, RefreshesAhead, ShedWaiters;

    /// <summary>Keys that Redis was told were read (<c>TOUCH_SAMPLE</c>), and those that it was not for being slow or ill.</summary>
    public long Touches, TouchesDropped;

    /// <summary>How full Redis's table of tracked keys is; <see langword="null"/> while it is not known, or Redis does not track.</summary>
    public volatile TrackingTableFigures? TrackingTable;

    /// <summary>Reads and writes that have reached the node.</summary>
    public long Requests;

    /// <summary>Writes that are not answered yet, and those of others whose copies were dropped here.</summary>
    public long WritesUnderWay, Settled;

    public long Entries => _entries.Count;

    public long Bytes => _entries.Bytes;

    public long Evictions => _entries.Evictions;

    public long Expirations => _entries.Expirations;

    public void Dispose() => _meter.Dispose();
}
