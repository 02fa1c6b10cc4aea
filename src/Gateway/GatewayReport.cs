using RpOrleans.Gateway.Http;
using RpOrleans.Gateway.Near;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;

namespace RpOrleans.Gateway;

/// <summary>What <c>/stats</c> says of a gateway and of the nodes that it reaches; described in <c>docs/stats.md</c>.</summary>
internal sealed class GatewayReport(GatewayMetrics metrics, Nodes nodes, ConnectionLimit connections, TimeProvider time, NearCache? near = null)
{
    private static readonly TimeSpan _atMost = TimeSpan.FromMilliseconds(300);

    private readonly long _started = time.GetTimestamp();

    /// <summary>A snapshot; nodes that do not answer at once are named without figures.</summary>
    public async Task<GatewayStats> StatsAsync() => new(
        new GatewayFigures(Math.Round(time.GetElapsedTime(_started).TotalSeconds, 3), connections.Open, metrics.Requests, nodes.NotReady(), near is null ? null : new NearFigures(near.Hits, near.Stale, near.Count, near.Bytes)),
        await Task.WhenAll(nodes.Ring.Nodes.Select(OfAsync)));

    private static async Task<object> OfAsync(NodeLink node)
    {
        try
        {
            return await node.StatsAsync(_atMost);
        }
        catch (NodeUnavailableException)
        {
            return new { Node = node.Name, Unreachable = true };
        }
    }
}

/// <summary>The figures of <c>/stats</c>.</summary>
/// <param name="Gateway">This gateway's.</param>
/// <param name="Nodes">Each node's: a <see cref="NodeStats"/>, or its name and that it cannot be reached.</param>
internal sealed record GatewayStats(GatewayFigures Gateway, IReadOnlyList<object> Nodes);

/// <summary>A gateway's figures since it started.</summary>
/// <param name="UptimeSeconds">Since when.</param>
/// <param name="Connections">Open now.</param>
/// <param name="Requests">By outcome.</param>
/// <param name="NotReady">Why it cannot serve; empty when it can.</param>
/// <param name="Near">Its copies; <see langword="null"/> where it keeps none.</param>
internal sealed record GatewayFigures(
    double UptimeSeconds, int Connections, IReadOnlyDictionary<string, long> Requests, IReadOnlyList<string> NotReady, NearFigures? Near);

/// <summary>What a gateway has answered from copies, and how much they take.</summary>
/// <param name="Hits">Reads answered from them.</param>
/// <param name="Stale">Those of them that Redis could not be asked to confirm.</param>
/// <param name="Entries">Copies held.</param>
/// <param name="Bytes">Bytes that they take.</param>
internal sealed record NearFigures(long Hits, long Stale, int Entries, long Bytes);
