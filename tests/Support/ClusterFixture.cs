using System.Globalization;

namespace RpOrleans.Tests.Support;

/// <summary>Three silos and two gateways as processes, with a Redis for the data and one for the membership table. Mended before each test that uses it.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    /// <summary>How long processes may take to start on a busy machine; no promise of theirs.</summary>
    internal static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(90);

    private const int SilosWanted = 3;
    private const int GatewaysWanted = 2;

    private readonly List<NodeProcess> _ended = [];
    private RedisServer? _data;
    private RedisServer? _membership;

    internal RedisServer Data => _data!;

    internal List<NodeProcess> Silos { get; } = [];

    internal List<NodeProcess> Gateways { get; } = [];

    internal int[] Ports => [.. Gateways.Select(gateway => gateway.Port)];

    public Task InitializeAsync() => Task.CompletedTask; // what a test needs is found out, and started, in the test

    public async Task DisposeAsync()
    {
        foreach (var node in Gateways.Concat(Silos).Concat(_ended))
        {
            await node.DisposeAsync();
        }

        foreach (var redis in new[] { _data, _membership }.OfType<RedisServer>())
        {
            await redis.DisposeAsync();
        }
    }

    /// <summary>Starts what is missing and ends what is too much, until every gateway reaches every silo.</summary>
    internal async Task WholeAsync()
    {
        RedisServer.Require();
        _data ??= await RedisServer.StartAsync();
        _membership ??= await RedisServer.StartAsync();
        foreach (var extra in Silos.Skip(SilosWanted).ToList())
        {
            Silos.Remove(extra);
            _ended.Add(extra);
            extra.Term();
            if (!await extra.EndsWithinAsync(TimeSpan.FromSeconds(30)))
            {
                await extra.KillAsync();
            }
        }

        await Task.WhenAll(
            MendAsync(Silos, SilosWanted, StartSiloAsync),
            MendAsync(Gateways, GatewaysWanted, StartGatewayAsync));
        await SeenAsync(SilosWanted);
    }

    /// <summary>Starts one more silo, and waits until it is ready.</summary>
    /// <param name="redisPort">Where it finds the data, if it has a way of its own.</param>
    internal async Task<NodeProcess> AddSiloAsync(int? redisPort = null)
    {
        var silo = await NodeProcess.StartSiloAsync(Settings(redisPort));
        Silos.Add(silo);
        await silo.ReadyAsync(StartPatience);
        return silo;
    }

    /// <summary>Starts a silo that has ended again, and waits until every gateway reaches every silo.</summary>
    internal async Task ReviveAsync(NodeProcess silo)
    {
        await ReviveAsync(Silos, silo, StartSiloAsync);
        await SeenAsync(Silos.Count);
    }

    /// <summary>Waits until each gateway reaches so many silos.</summary>
    internal Task SeenAsync(int silos) => Task.WhenAll(Gateways.Select(gateway => Eventually.TrueAsync(
        async () => await gateway.IsReadyAsync() && (await gateway.NodesAsync()).Count == silos,
        StartPatience,
        $"a gateway reaches {silos} silos")));

    /// <summary>Reads of Redis that the silos have begun, in all.</summary>
    internal async Task<long> LoadsAsync() => (await Gateways[0].NodesAsync()).Sum(node => node.GetProperty("loads").GetInt64());

    /// <summary>What all processes have printed since the last report.</summary>
    internal string TakeReport()
    {
        var report = string.Join('\n', Gateways.Concat(Silos).Concat(_ended).Select(node => node.TakeReport()));
        _ended.RemoveAll(node => node.HasEnded);
        return report;
    }

    private Task<NodeProcess> StartSiloAsync() => NodeProcess.StartSiloAsync(Settings());

    private Task<NodeProcess> StartGatewayAsync() => NodeProcess.StartGatewayAsync(Settings());

    private Dictionary<string, string> Settings(int? redisPort = null) => new()
    {
        ["CLUSTERING"] = "redis",
        ["MEMBERSHIP_REDIS"] = $"127.0.0.1:{_membership!.Port}",
        ["CLUSTER_ID"] = $"tests-{_membership.Port}",
        ["REDIS_HOST"] = "127.0.0.1",
        ["REDIS_PORT"] = (redisPort ?? _data!.Port).ToString(CultureInfo.InvariantCulture),
        ["RECORD_EXPIRY"] = "600", // nothing is reloaded but for what a test does
    };

    private async Task MendAsync(List<NodeProcess> nodes, int wanted, Func<Task<NodeProcess>> start)
    {
        while (nodes.Count < wanted)
        {
            nodes.Add(await start());
        }

        await Task.WhenAll(nodes.ToList().Select(async node =>
        {
            node.Resume(); // a test may have ended while it was hung
            if (node.HasEnded || !await IsReadyOrEndsAsync(node))
            {
                await ReviveAsync(nodes, node, start);
            }
        }));
    }

    private async Task ReviveAsync(List<NodeProcess> nodes, NodeProcess ended, Func<Task<NodeProcess>> startElsewhere)
    {
        _ended.Add(ended);
        var node = nodes[nodes.IndexOf(ended)] = await ended.StartAgainAsync();
        if (await IsReadyOrEndsAsync(node))
        {
            return;
        }

        // Somebody connected from one of its ports meanwhile: another place, then.
        _ended.Add(node);
        var elsewhere = nodes[nodes.IndexOf(node)] = await startElsewhere();
        await elsewhere.ReadyAsync(StartPatience);
    }

    private static async Task<bool> IsReadyOrEndsAsync(NodeProcess node)
    {
        await Eventually.TrueAsync(async () => node.HasEnded || await node.IsReadyAsync(), StartPatience, $"{node.Program} is ready");
        return !node.HasEnded;
    }
}
