using System.Diagnostics.Metrics;

namespace RpOrleans.Gateway;

/// <summary>How a request ended.</summary>
internal enum GatewayOutcome
{
    /// <summary>A read, answered from memory.</summary>
    Hit,

    /// <summary>A read, answered by Redis.</summary>
    Miss,

    /// <summary>A read of a key that Redis does not have.</summary>
    Absent,

    /// <summary>A write or delete that Redis acknowledged.</summary>
    Written,

    /// <summary>The client was told that its request cannot be served as it stands (4xx).</summary>
    Rejected,

    /// <summary>Redis or the nodes gave no usable answer (5xx).</summary>
    Failed,

    /// <summary>A command of the Redis protocol that Redis itself answered.</summary>
    Passed,

    /// <summary>A connection too many.</summary>
    Refused,

    /// <summary>Anything else: the home page.</summary>
    Other,
}

/// <summary>What a gateway counts.</summary>
internal sealed class GatewayMetrics : IDisposable
{
    /// <summary>The name of the meter, for whoever listens.</summary>
    public const string MeterName = "rporleans.gateway";

    private static readonly string[] _names = [.. Enum.GetNames<GatewayOutcome>().Select(name => name.ToLowerInvariant())];

    private readonly Meter _meter = new(MeterName);
    private readonly long[] _counts = new long[_names.Length];

    public GatewayMetrics() =>
        _meter.CreateObservableCounter("rporleans.gateway.requests", () => _names.Select(
            (name, i) => new Measurement<long>(Volatile.Read(ref _counts[i]), new KeyValuePair<string, object?>("outcome", name))));

    /// <summary>Counts a request, or each key of a batch.</summary>
    public void Count(GatewayOutcome outcome, int times = 1) => Interlocked.Add(ref _counts[(int)outcome], times);

    /// <summary>Requests by outcome.</summary>
    public IReadOnlyDictionary<string, long> Requests =>
        _names.Select((name, i) => (name, count: Volatile.Read(ref _counts[i]))).ToDictionary(pair => pair.name, pair => pair.count);

    public void Dispose() => _meter.Dispose();
}
