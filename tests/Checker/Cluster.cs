using System.Collections.Concurrent;
using System.Globalization;
using RpOrleans.Checker.Judging;
using RpOrleans.Tests.Support;

namespace RpOrleans.Checker;

/// <summary>Where a gateway listens.</summary>
internal readonly record struct GatewayPorts(int Http, int Resp);

/// <summary>The processes: both Redis, silos and gateways, each of which reaches the data through a proxy of its own.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    /// <summary>How long processes may take to start on a busy machine; no promise of theirs.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);

    private readonly Options _options;
    private readonly RedisServer? _membership;
    private readonly DirectoryInfo _clocks = Directory.CreateTempSubdirectory("checker-clocks-");
    private readonly ConcurrentBag<NodeProcess> _ended = [];
    private readonly ConcurrentQueue<string> _lost = [];

    private Cluster(Options options, DataRedis data, RedisServer? membership)
    {
        (_options, Data, _membership) = (options, data, membership);
        var silos = options.OneProcess ? 0 : options.Silos + 1; // one for a silo that is added
        SiloLinks = [.. Enumerable.Range(0, silos).Select(number => new FaultProxy(data.Port, options.Seed + number))];
        GatewayLinks = [.. Enumerable.Range(0, options.Gateways).Select(number => new FaultProxy(data.Port, options.Seed + options.Silos + 1 + number))];
    }

    public DataRedis Data { get; }

    /// <summary>Whether the one gateway is the node as well: its way to the data is both's.</summary>
    public bool OneProcess => _options.OneProcess;

    /// <summary>The ways of the silos to the data.</summary>
    public IReadOnlyList<FaultProxy> SiloLinks { get; }

    /// <summary>The ways of the gateways, for what they pass through.</summary>
    public IReadOnlyList<FaultProxy> GatewayLinks { get; }

    /// <summary>The ways of all gateways to each silo, where these can fail.</summary>
    public ConcurrentDictionary<int, FaultProxy> NodeLinks { get; } = [];

    public List<NodeProcess> Silos { get; } = [];

    public List<NodeProcess> Gateways { get; } = [];

    /// <summary>Where the gateways are asked.</summary>
    public GatewayPorts[] Ports => [.. Gateways.Select(gateway => new GatewayPorts(gateway.Port, int.Parse(gateway.Settings["RESP_PORT"], CultureInfo.InvariantCulture)))];

    /// <summary>Processes that ended though nobody told them to.</summary>
    public IReadOnlyCollection<string> Lost => _lost;

    public static async Task<Cluster> StartAsync(Options options)
    {
        var cluster = new Cluster(options, await DataRedis.StartAsync(), options.OneProcess ? null : await RedisServer.StartAsync());
        try
        {
            var silos = Task.WhenAll(Enumerable.Range(0, options.Silos).Select(cluster.StartSiloAsync));
            foreach (var link in cluster.GatewayLinks)
            {
                cluster.Gateways.Add(await NodeProcess.StartGatewayAsync(cluster.Settings(link.Port), options.Gateway));
            }

            cluster.Silos.AddRange(await silos);

            await cluster.WholeAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until every gateway reaches every silo; starts those again that have ended.</summary>
    /// <param name="struck">The silo that was killed, told to end or hung: it may have ended, or end yet. Others should not.</param>
    public Task WholeAsync(int? struck = null) => Eventually.TrueAsync(
        async () =>
        {
            for (var slot = 0; slot < Silos.Count; slot++)
            {
                if (Silos[slot].HasEnded)
                {
                    await ReviveAsync(slot, slot == struck);
                }
            }

            return (await Task.WhenAll(Gateways.Select(ReachesAllAsync))).All(reaches => reaches);
        },
        _patience,
        $"every gateway reaches {Nodes} nodes");

    /// <summary>Starts one more silo.</summary>
    public async Task AddSiloAsync()
    {
        Silos.Add(await StartSiloAsync(Silos.Count));
        await WholeAsync();
    }

    /// <summary>Tells the last silo to end, for good.</summary>
    public async Task RemoveSiloAsync()
    {
        var silo = Silos[^1];
        await TermAsync(silo);
        Silos.Remove(silo);
        _ended.Add(silo);
        await WholeAsync();
    }

    /// <summary>Tells a silo to end, and ends it when it does not.</summary>
    public static async Task TermAsync(NodeProcess silo)
    {
        silo.Term();
        if (!await silo.EndsWithinAsync(TimeSpan.FromSeconds(30)))
        {
            await silo.KillAsync();
        }
    }

    /// <summary>What the processes have printed lately.</summary>
    public string Report() => string.Join('\n', Gateways.Concat(Silos).Concat(_ended).Select(node => node.TakeReport()));

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Gateways.Concat(Silos).Concat(_ended))
        {
            await node.DisposeAsync();
        }

        foreach (var proxy in SiloLinks.Concat(GatewayLinks).Concat(NodeLinks.Values))
        {
            await proxy.DisposeAsync();
        }

        _clocks.Delete(recursive: true);
        await Data.DisposeAsync();
        await (_membership?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    private int Nodes => OneProcess ? 1 : Silos.Count;

    private async Task<NodeProcess> StartSiloAsync(int slot)
    {
        while (true)
        {
            var settings = Settings(SiloLinks[slot].Port);
            if (_options.NodeLinks)
            {
                var port = FreePort.Next();
                settings["SILO_GATEWAY_PORT"] = port.ToString(CultureInfo.InvariantCulture);
                NodeLinks[slot] = await Detour.BeforeAsync(port, _options.Seed - 1 - slot);
            }

            var silo = await NodeProcess.StartSiloAsync(settings, _options.Silo);
            if (await IsListeningAsync(silo))
            {
                return silo;
            }

            _ended.Add(silo);
        }
    }

    /// <summary>Waits until a silo is ready.</summary>
    /// <returns>Whether it is; not when somebody connected from one of its ports before it listened there.</returns>
    private static async Task<bool> IsListeningAsync(NodeProcess silo)
    {
        await Eventually.TrueAsync(async () => silo.HasEnded || await silo.IsReadyAsync(), _patience, "a silo is ready");
        return !silo.HasEnded ? true
            : silo.Output.Contains("Address already in use", StringComparison.Ordinal) ? false
            : throw new InvalidOperationException($"A silo ended while it started:\n{silo.TakeReport()}");
    }

    private Dictionary<string, string> Settings(int redisPort)
    {
        var settings = new Dictionary<string, string>(_options.Settings)
        {
            ["REDIS_HOST"] = "127.0.0.1",
            ["REDIS_PORT"] = redisPort.ToString(CultureInfo.InvariantCulture),
            ["RECORD_EXPIRY"] = _options.RecordExpiry.TotalSeconds.ToString(CultureInfo.InvariantCulture),
        };
        if (_options.OwnClocks)
        {
            WallClock.Give(settings, _clocks);
        }

        if (_membership is not null)
        {
            settings["CLUSTERING"] = "redis";
            settings["MEMBERSHIP_REDIS"] = $"127.0.0.1:{_membership.Port}";
            settings["CLUSTER_ID"] = $"checker-{_membership.Port}";
        }

        if (_options.Mode != Mode.None)
        {
            settings["COHERENCE"] = _options.Mode switch { Mode.Expiry => "expiry", Mode.Auto => "auto", _ => "tracking" };
        }

        if (_options.Tracks)
        {
            settings["COHERENCE_BOUND"] = _options.CoherenceBound.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        }

        return settings;
    }

    private async Task ReviveAsync(int slot, bool struck)
    {
        if (!struck)
        {
            _lost.Enqueue(Silos[slot].TakeReport());
        }

        _ended.Add(Silos[slot]);
        Silos[slot] = await Silos[slot].StartAgainAsync();
        if (!await IsListeningAsync(Silos[slot]))
        {
            _ended.Add(Silos[slot]);
            Silos[slot] = await StartSiloAsync(slot);
        }
    }

    private async Task<bool> ReachesAllAsync(NodeProcess gateway) =>
        gateway.HasEnded ? throw new InvalidOperationException($"A gateway has ended:\n{gateway.TakeReport()}")
        : await gateway.IsReadyAsync() && (await gateway.NodesAsync()).Count == Nodes;
}
