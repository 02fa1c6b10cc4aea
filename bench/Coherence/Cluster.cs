using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using RpOrleans.Tests.Support;

namespace RpOrleans.Coherence;

/// <summary>What is measured: a data Redis, a membership Redis, three silos and two gateways, each a process of its own.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private const int SilosCount = 3;
    private const int GatewaysCount = 2;
    private const int FirstWarmingKey = 9_000_000;
    private const int WarmingKeys = 2_000;
    private const int WarmingReaders = 16;

    /// <summary>How long processes may take to start on a busy machine; no promise of theirs.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <summary>Warming goes on until twice in a row reads were no faster than before: with few processors that takes the better part of a minute.</summary>
    private static readonly TimeSpan _warmingSpan = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _warmingAtMost = TimeSpan.FromSeconds(90);
    private const double Faster = 1.03;
    private const int LastSpans = 2;

    private readonly List<NodeProcess> _silos = [];
    private readonly List<NodeProcess> _gateways = [];
    private readonly RedisServer _membership;

    private Cluster(RedisServer data, RedisServer membership) => (Data, _membership) = (data, membership);

    /// <summary>The Redis that is cached.</summary>
    public RedisServer Data { get; }

    /// <summary>Where the gateways are asked.</summary>
    public IReadOnlyList<int> Ports => [.. _gateways.Select(gateway => gateway.Port)];

    /// <summary>Every process that works for an answer.</summary>
    public IReadOnlyList<int> ProcessIds => [Data.Pid, _membership.Pid, .. _silos.Concat(_gateways).Select(process => process.Pid)];

    public static async Task<Cluster> StartAsync(IReadOnlyDictionary<string, string> settings)
    {
        // Redis forgets at random beyond a million tracked keys unless it is told otherwise.
        var data = await RedisServer.StartAsync(extraArgs: ["--tracking-table-max-keys", "2000000"]);
        var cluster = new Cluster(data, await RedisServer.StartAsync());
        try
        {
            var all = new Dictionary<string, string>(settings)
            {
                ["CLUSTERING"] = "redis",
                ["CLUSTER_ID"] = "bench",
                ["MEMBERSHIP_REDIS"] = $"127.0.0.1:{cluster._membership.Port}",
                ["REDIS_HOST"] = "127.0.0.1",
                ["REDIS_PORT"] = data.Port.ToString(CultureInfo.InvariantCulture),
                ["LOG_LEVEL"] = "Warning",
            };
            for (var silo = 0; silo < SilosCount; silo++)
            {
                cluster._silos.Add(await NodeProcess.StartSiloAsync(all));
            }

            for (var gateway = 0; gateway < GatewaysCount; gateway++)
            {
                cluster._gateways.Add(await NodeProcess.StartGatewayAsync(all));
            }

            await Eventually.TrueAsync(cluster.IsWholeAsync, _patience, "every gateway reaches every silo");
            await cluster.WarmAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Puts keys into Redis, in their first version.</summary>
    public void Fill(int keys)
    {
        using var redis = new RedisWriter(Data.Port);
        redis.Fill(keys);
    }

    /// <summary>Reads of Redis so far. A node reads a key by <c>GETRANGE</c>, <c>STRLEN</c> and <c>PTTL</c> in one go, so <c>GETRANGE</c> counts them.</summary>
    public async Task<long> ReadsOfRedisAsync()
    {
        const string Before = "cmdstat_getrange:calls=";
        var statistics = await Data.CommandAsync("INFO", "commandstats");
        var at = statistics.IndexOf(Before, StringComparison.Ordinal);
        return at < 0 ? 0 : long.Parse(statistics.AsSpan(at + Before.Length, statistics.IndexOf(',', at) - at - Before.Length), CultureInfo.InvariantCulture);
    }

    /// <summary>Reads that gateways have answered from copies so far.</summary>
    public async Task<long> NearHitsAsync()
    {
        var hits = 0L;
        foreach (var gateway in _gateways)
        {
            using var stats = JsonDocument.Parse((await gateway.AdminAsync("/stats")).Body);
            hits += stats.RootElement.GetProperty("gateway").GetProperty("near").GetProperty("hits").GetInt64();
        }

        return hits;
    }

    /// <summary>Stops a gateway, until it is resumed.</summary>
    public void Pause(int gateway) => _gateways[gateway].Pause();

    /// <summary>Lets it go on.</summary>
    public void Resume(int gateway) => _gateways[gateway].Resume();

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _gateways.Concat(_silos))
        {
            await process.DisposeAsync();
        }

        await Data.DisposeAsync();
        await _membership.DisposeAsync();
    }

    /// <summary>Has the processes compile what they will run, with keys that nobody else asks for.</summary>
    private async Task WarmAsync()
    {
        using var redis = new RedisWriter(Data.Port);
        var keys = Enumerable.Range(FirstWarmingKey, WarmingKeys).Select(key => (key, 0)).ToArray();
        var began = Stopwatch.GetTimestamp();
        var most = 0L;
        for (var still = 0; still < LastSpans && Stopwatch.GetElapsedTime(began) < _warmingAtMost;)
        {
            var reads = await WarmAsync(redis, keys);
            still = reads > Faster * most ? 0 : still + 1;
            most = Math.Max(most, reads);
        }
    }

    /// <summary>Reads keys that are held, and some that were written at Redis just now.</summary>
    private async Task<long> WarmAsync(RedisWriter redis, (int Key, int Version)[] keys)
    {
        redis.Set(keys);
        var began = Stopwatch.GetTimestamp();
        var reading = ConcurrentReaders.Start(Ports, WarmingReaders, async (_, number, reader) =>
        {
            var random = new Random(number);
            var reads = 0L;
            for (; Stopwatch.GetElapsedTime(began) < _warmingSpan; reads++)
            {
                await reader.AskAsync(keys[random.Next(keys.Length)].Key); // some may be late, while there is so much to compile
            }

            return reads;
        });
        for (var chance = new Random(0); !reading.IsCompleted; await Task.Delay(10))
        {
            redis.Set([.. Enumerable.Range(0, 10).Select(_ => keys[chance.Next(keys.Length)])]);
        }

        return await reading;
    }

    private async Task<bool> IsWholeAsync()
    {
        foreach (var process in _silos.Concat(_gateways))
        {
            if (process.HasEnded)
            {
                throw new InvalidOperationException($"A process has ended:\n{process.TakeReport()}");
            }

            if (!await process.IsReadyAsync() || (_gateways.Contains(process) && (await process.NodesAsync()).Count != SilosCount))
            {
                return false;
            }
        }

        return true;
    }
}
