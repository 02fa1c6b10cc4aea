using System.Globalization;
using RpOrleans.Tests.Support;

namespace RpOrleans.Checker;

/// <summary>What goes wrong.</summary>
internal enum FaultKind
{
    LinkDelayed,
    LinkTrickles,
    LinkBlackHole,
    LinkBlackHoleToRedis,
    LinkBlackHoleFromRedis,
    LinkReset,
    LinkRefused,
    RedisHung,
    RedisRestartedWithData,
    RedisRestartedEmpty,
    RedisRestartedWithOtherData,
    RedisKillsNormalClients,
    RedisKillsPubSubClients,
    RedisPausesClients,
    RedisTracksFewKeys,
    RedisFlushed,
    GatewayHung,
    ClockJumps,
    SiloKilled,
    SiloHung,
    SiloStopped,
    SiloAdded,
}

/// <summary>One fault.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Node">The silo, or whose link it is: a silo's, or behind them a gateway's, or behind those the way of all gateways to a silo; for clocks, a silo's, or behind them a gateway's; -1 for all links to Redis, or all clocks.</param>
/// <param name="Connections">Which of a link's connections.</param>
/// <param name="Lasts">For how long.</param>
/// <param name="Pace">A delay, or the time after each byte, or how far a clock is set ahead, or below zero back.</param>
/// <param name="Calm">How long nothing goes wrong afterwards.</param>
internal sealed record PlannedFault(FaultKind Kind, int Node, ProxiedConnections Connections, TimeSpan Lasts, TimeSpan Pace, TimeSpan Calm)
{
    public bool OfLink => Kind <= FaultKind.LinkRefused;

    public bool OfSilo => Kind >= FaultKind.SiloKilled;

    public bool OfGateway => Kind == FaultKind.GatewayHung;

    /// <summary>Of the time of day that a process sees: of that nothing is excused.</summary>
    public bool OfClock => Kind == FaultKind.ClockJumps;

    public override string ToString()
    {
        var where = !OfLink && !OfSilo && !OfGateway ? "" : Node < 0 ? " all" : $" {Node}";
        var which = OfLink && Connections != ProxiedConnections.All ? $" {Connections}".ToLowerInvariant() : "";
        var pace = Kind is FaultKind.LinkDelayed or FaultKind.LinkTrickles ? $" {Pace.TotalMilliseconds:F0} ms" : OfClock ? $" by {Pace.TotalSeconds:F0} s" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{Kind}{where}{which}{pace}, {Lasts.TotalSeconds:F1} s, calm {Calm.TotalSeconds:F1} s");
    }
}

/// <summary>The faults of a run, which follow from its seed: every kind that is wanted once, in an order of chance, then again.</summary>
internal static class Schedule
{
    public static IEnumerable<PlannedFault> Of(int seed, int silos, int gateways, int otherLinks, IEnumerable<FaultKind> wanted)
    {
        var random = new Random(seed);
        FaultKind[] kinds = [.. wanted];
        while (kinds.Length > 0)
        {
            random.Shuffle(kinds);
            foreach (var kind in kinds)
            {
                yield return new PlannedFault(
                    kind,
                    Node: kind == FaultKind.GatewayHung ? random.Next(gateways)
                        : kind < FaultKind.SiloKilled && random.Next(3) == 0 ? -1 : random.Next(kind <= FaultKind.LinkRefused ? silos + gateways + otherLinks : kind == FaultKind.ClockJumps ? silos + gateways : silos),
                    Connections: (ProxiedConnections)random.Next(3),
                    Lasts: Lasts(kind, random.NextDouble()),
                    Pace: kind == FaultKind.ClockJumps ? TimeSpan.FromSeconds(Math.Pow(10, 1 + (3.5 * random.NextDouble())) * (random.Next(2) == 0 ? 1 : -1))
                        : TimeSpan.FromMilliseconds(kind == FaultKind.LinkTrickles ? random.Next(1, 60) : random.Next(5, 600)),
                    Calm: TimeSpan.FromSeconds(0.6 + (0.6 * random.NextDouble())));
            }
        }
    }

    private static TimeSpan Lasts(FaultKind kind, double chance) => TimeSpan.FromSeconds(kind switch
    {
        FaultKind.LinkReset or FaultKind.RedisKillsNormalClients or FaultKind.RedisKillsPubSubClients or FaultKind.RedisFlushed => 0,
        FaultKind.SiloHung or FaultKind.GatewayHung => 0.2 + (4 * chance),
        _ => 0.1 + (2.9 * chance * chance), // more short ones than long
    });
}
