using System.Diagnostics;
using System.Globalization;
using RpOrleans.Checker.Judging;
using RpOrleans.Tests.Support;

namespace RpOrleans.Checker;

/// <summary>A fault that was made.</summary>
internal sealed record MadeFault(PlannedFault What, Span When);

/// <summary>Makes what the schedule says go wrong, one after the other.</summary>
internal sealed class Faults(Cluster cluster, KeySpace keys, Calm calm)
{
    /// <summary>Views may still differ for a while after every gateway reaches every silo.</summary>
    private static readonly TimeSpan _agreement = TimeSpan.FromSeconds(2);

    /// <summary>A silo may still be on its way back to Redis for a while after that can be reached.</summary>
    private static readonly TimeSpan _reconnecting = TimeSpan.FromSeconds(0.6);

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(15);

    public List<MadeFault> Made { get; } = [];

    /// <summary>Those that were left out, for writes were not settled in time.</summary>
    public int LeftOut { get; private set; }

    /// <summary>When a silo may have lived on that was declared dead: two may have owned a key.</summary>
    public List<Span> Disturbed { get; } = [];

    /// <summary>When something went wrong, and for a while after: others may have stood in for a silo.</summary>
    public List<Span> StoodIn { get; } = [];

    /// <summary>When Redis, or a silo's way there, was faulty.</summary>
    public List<Span> Unconfirmed { get; } = [];

    /// <summary>When Redis, or a gateway's way there, was faulty.</summary>
    public List<Span> Upstream { get; } = [];

    /// <summary>When a gateway was hung: its answers come late, and it is some time until all have been given.</summary>
    public List<Span> Hung { get; } = [];

    /// <summary>Follows the schedule for so long.</summary>
    public async Task RunAsync(IEnumerable<PlannedFault> schedule, TimeSpan until, CancellationToken stopping)
    {
        foreach (var fault in schedule)
        {
            await Task.Delay(fault.Calm, stopping);
            if (Clock.Now >= until)
            {
                return;
            }

            await MakeAsync(fault);
        }
    }

    /// <summary>Where the links of gateways begin among all links; those of silos are before.</summary>
    private int FirstGateway => Math.Max(0, cluster.SiloLinks.Count - 1); // one is for a silo that is added

    /// <summary>Where the ways of gateways to silos begin.</summary>
    private int FirstNode => FirstGateway + cluster.GatewayLinks.Count;

    private async Task MakeAsync(PlannedFault fault)
    {
        // What takes writes back or makes them up happens between writes: so its place among them is known (KeySpace).
        var rewrites = fault.Kind is FaultKind.RedisFlushed or FaultKind.RedisRestartedWithData or FaultKind.RedisRestartedEmpty or FaultKind.RedisRestartedWithOtherData;
        if (rewrites && !await keys.CloseAsync(_patience))
        {
            keys.Open();
            LeftOut++;
            return;
        }

        calm.End();
        var start = Clock.Now;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{start.TotalSeconds,8:F2} s  {fault}"));
        try
        {
            await (fault.OfLink ? LinkAsync(fault) : fault.OfSilo ? SiloAsync(fault) : fault.OfGateway ? GatewayAsync(fault) : fault.OfClock ? ClockAsync(fault) : RedisAsync(fault));
        }
        finally
        {
            keys.Open();
            var span = new Span(start, Clock.Now);
            Made.Add(new MadeFault(fault, span));
            if (!fault.OfClock)
            {
                Excuse(fault, span);
            }

            calm.Begin();
        }

        if (!fault.OfSilo)
        {
            await cluster.WholeAsync(); // nothing of this ends a silo
        }
    }

    /// <summary>Notes what may be otherwise than in calm, and for how long.</summary>
    private void Excuse(PlannedFault fault, Span span)
    {
        var ofNode = fault.OfLink && fault.Node >= FirstNode;
        var ofGateway = fault.OfLink && fault.Node >= FirstGateway && !ofNode;
        StoodIn.Add(new Span(span.Start, span.End + (fault.OfSilo || ofNode ? _agreement : _reconnecting)));
        if (fault.OfGateway)
        {
            Hung.Add(new Span(span.Start, span.End + _reconnecting));
        }
        else if (!fault.OfSilo && !ofNode && (!ofGateway || cluster.OneProcess))
        {
            Unconfirmed.Add(new Span(span.Start, span.End + _reconnecting));
        }

        if (ofGateway || (fault.OfLink && fault.Node < 0) || (!fault.OfLink && !fault.OfSilo && !fault.OfGateway))
        {
            Upstream.Add(new Span(span.Start, span.End + _reconnecting));
        }

        if (fault.Kind == FaultKind.SiloHung)
        {
            Disturbed.Add(new Span(span.Start, span.End + _agreement));
        }
    }

    private async Task LinkAsync(PlannedFault fault)
    {
        var what = fault.Kind switch
        {
            FaultKind.LinkDelayed => ProxyFault.Delay,
            FaultKind.LinkTrickles => ProxyFault.Trickle,
            FaultKind.LinkBlackHole => ProxyFault.BlackHole,
            FaultKind.LinkBlackHoleToRedis => ProxyFault.BlackHoleToServer,
            FaultKind.LinkBlackHoleFromRedis => ProxyFault.BlackHoleToClient,
            FaultKind.LinkRefused => ProxyFault.Refuse,
            _ => ProxyFault.None,
        };
        List<FaultProxy> proxies = fault.Node < 0 ? [.. cluster.SiloLinks, .. cluster.GatewayLinks]
            : [fault.Node >= FirstNode ? cluster.NodeLinks[fault.Node - FirstNode]
                : fault.Node >= FirstGateway ? cluster.GatewayLinks[fault.Node - FirstGateway]
                : cluster.SiloLinks[fault.Node]];
        var connections = what == ProxyFault.Refuse || fault.Node >= FirstNode ? ProxiedConnections.All : fault.Connections;
        proxies.ForEach(proxy => proxy.Set(what, fault.Pace, connections));
        if (fault.Kind is FaultKind.LinkReset or FaultKind.LinkRefused)
        {
            proxies.ForEach(proxy => proxy.Reset(fault.Node >= FirstNode ? ProxiedConnections.All : fault.Connections));
        }

        await Task.Delay(fault.Lasts);
        proxies.ForEach(proxy => proxy.Heal());
    }

    private async Task RedisAsync(PlannedFault fault)
    {
        var redis = cluster.Data;
        switch (fault.Kind)
        {
            case FaultKind.RedisHung:
                redis.Pause();
                await Task.Delay(fault.Lasts);
                redis.Resume();
                break;
            case FaultKind.RedisRestartedWithData:
                await redis.KillAsync();
                await Task.Delay(fault.Lasts);
                await redis.StartAgainAsync();
                break;
            case FaultKind.RedisRestartedEmpty:
                await AllChangeAsync(deletes: true, () => RestartAsync(redis.Forget));
                break;
            case FaultKind.RedisRestartedWithOtherData:
                var put = await redis.PrepareAsync(FillAsync);
                await AllChangeAsync(deletes: false, () => RestartAsync(put));
                break;
            case FaultKind.RedisFlushed:
                await AllChangeAsync(deletes: true, () => redis.CommandAsync("FLUSHALL"));
                break;
            case FaultKind.RedisKillsNormalClients:
                await redis.CommandAsync("CLIENT", "KILL", "TYPE", "normal");
                break;
            case FaultKind.RedisKillsPubSubClients:
                await redis.CommandAsync("CLIENT", "KILL", "TYPE", "pubsub");
                break;
            case FaultKind.RedisPausesClients:
                await redis.CommandAsync("CLIENT", "PAUSE", ((int)fault.Lasts.TotalMilliseconds).ToString(CultureInfo.InvariantCulture), "ALL");
                await Task.Delay(fault.Lasts);
                break;
            case FaultKind.RedisTracksFewKeys:
                await redis.CommandAsync("CONFIG", "SET", "tracking-table-max-keys", "5");
                await Task.Delay(fault.Lasts);
                await redis.CommandAsync("CONFIG", "SET", "tracking-table-max-keys", "1000000");
                break;
            default:
                throw new UnreachableException($"{fault.Kind} is no fault of Redis.");
        }

        async Task RestartAsync(Action between)
        {
            await redis.KillAsync();
            between();
            await Task.Delay(fault.Lasts);
            await redis.StartAgainAsync();
        }
    }

    private async Task GatewayAsync(PlannedFault fault)
    {
        var gateway = cluster.Gateways[fault.Node];
        gateway.Pause();
        await Task.Delay(fault.Lasts);
        gateway.Resume();
    }

    private async Task ClockAsync(PlannedFault fault)
    {
        List<NodeProcess> all = [.. cluster.Silos, .. cluster.Gateways];
        List<NodeProcess> struck = fault.Node < 0 ? all : [all[fault.Node]];
        await Task.WhenAll(struck.Select(process => WallClock.SetAsync(process, fault.Pace)));
        await Task.Delay(fault.Lasts);
        await Task.WhenAll(struck.Select(process => WallClock.SetAsync(process, TimeSpan.Zero)));
    }

    private async Task SiloAsync(PlannedFault fault)
    {
        var silo = cluster.Silos[fault.Node];
        switch (fault.Kind)
        {
            case FaultKind.SiloKilled:
                await silo.KillAsync();
                await Task.Delay(fault.Lasts);
                break;
            case FaultKind.SiloHung:
                silo.Pause();
                await Task.Delay(fault.Lasts);
                silo.Resume();
                await silo.EndsWithinAsync(TimeSpan.FromSeconds(1)); // it ends when it learns that it was declared dead, which may be later
                break;
            case FaultKind.SiloStopped:
                await Cluster.TermAsync(silo);
                await Task.Delay(fault.Lasts);
                break;
            case FaultKind.SiloAdded:
                await cluster.AddSiloAsync();
                await Task.Delay(fault.Lasts);
                await cluster.RemoveSiloAsync();
                break;
            default:
                throw new UnreachableException($"{fault.Kind} is no fault of a silo.");
        }

        await cluster.WholeAsync(struck: fault.Node);
    }

    private async Task AllChangeAsync(bool deletes, Func<Task> change)
    {
        var start = Clock.Now;
        await change();
        keys.AllChanged(start, deletes);
    }

    /// <summary>Gives every key its next version.</summary>
    public async Task FillAsync(RedisLink redis)
    {
        for (var key = 0; key < keys.Count; key++)
        {
            await redis.CommandAsync("SET", Values.Key(key), Values.Value(key, keys.NextVersion(key), "other"));
        }
    }
}
