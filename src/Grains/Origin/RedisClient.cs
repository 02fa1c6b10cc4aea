using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using RpOrleans.Grains.Settings;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace RpOrleans.Grains.Origin;

/// <summary>How the library is set up, for each connection to the Redis that is cached.</summary>
internal static class RedisClient
{
    /// <summary>How long a connect may take, the login included, before the next is tried.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(0.5);

    private static readonly TimeSpan _heartbeat = TimeSpan.FromMilliseconds(100);

    /// <summary>The library's options.</summary>
    /// <param name="options">Where Redis is, and how to log in.</param>
    /// <param name="endPoint">Its address, as the library writes it.</param>
    /// <param name="name">The name that Redis shows the connection under.</param>
    /// <param name="subscribes">Whether a second connection is opened, for subscriptions.</param>
    /// <param name="tunnel">Passed by each socket.</param>
    /// <param name="logs">Told of each failure.</param>
    public static ConfigurationOptions Configure(RedisOptions options, EndPoint endPoint, string name, bool subscribes, Tunnel tunnel, ILoggerFactory? logs) => new()
    {
        EndPoints = { endPoint },
        DefaultDatabase = options.Database,
        User = options.User,
        Password = options.Password,
        ClientName = name,
        Protocol = RedisProtocol.Resp2,
        AbortOnConnectFail = false,
        ConnectRetry = 1,
        ConnectTimeout = (int)ConnectTimeout.TotalMilliseconds,
        // Deadlines are ours, and so is the end of a silent connection: the library's are only a last resort.
        AsyncTimeout = (int)Math.Max(4 * options.Timeout.TotalMilliseconds, 10_000),
        SyncTimeout = 1_000,
        HeartbeatInterval = _heartbeat,
        BacklogPolicy = BacklogPolicy.FailFast,
        ReconnectRetryPolicy = new ReconnectPolicy(Random.Shared.Next()),
        AllowAdmin = true, // CLIENT LIST and CLIENT TRACKING; nothing that a user sends comes this way
        IncludeDetailInExceptions = false, // the detail is the key
        ConfigCheckSeconds = 1, // how soon the library learns that a replica was promoted; until then it sends it no writes
        TieBreaker = "",
        ConfigurationChannel = "",
        // Never ask Redis for other addresses.
        CommandMap = CommandMap.Create(
            subscribes ? ["CLUSTER", "CONFIG", "SENTINEL"] : ["CLUSTER", "CONFIG", "SENTINEL", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"],
            available: false),
        Tunnel = tunnel,
        LoggerFactory = logs,
    };

    /// <summary>Connects, however long it takes; from then on the library makes each lost connection anew.</summary>
    /// <param name="configure">The library's options.</param>
    /// <param name="time">The clock.</param>
    /// <param name="stopping">Gives up.</param>
    /// <returns>The client; <see langword="null"/> when it was given up.</returns>
    public static async Task<ConnectionMultiplexer?> ConnectAsync(Func<ConfigurationOptions> configure, TimeProvider time, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                // Comes back after a success, or else after the time for a connect; from then on the library's heart beats.
                return await ConnectionMultiplexer.ConnectAsync(configure());
            }
            catch (Exception failure) when (failure is RedisException or SocketException or TimeoutException)
            {
                await Task.Delay(ConnectTimeout, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        return null;
    }

    /// <summary>Ends a client, whatever it waits for.</summary>
    public static async Task EndAsync(ConnectionMultiplexer? multiplexer)
    {
        if (multiplexer is not null)
        {
            await multiplexer.CloseAsync(allowCommandsToComplete: false);
            await multiplexer.DisposeAsync();
        }
    }

    /// <summary>What the library calls Redis; behind Sentinel a name only, for which <see cref="SocketGate"/> puts the master's address.</summary>
    public static EndPoint EndPointOf(RedisOptions options) =>
        options.Sentinel is { } sentinel ? new DnsEndPoint(sentinel.Master, 6379) : EndPointOf(new Server(options.Host!, options.Port));

    /// <summary>A server, as the library writes it.</summary>
    public static EndPoint EndPointOf(Server server) => new EndPointCollection { { server.Host, server.Port } }[0];

    /// <summary>When to connect again: once soon, then after 0.2 to 0.3 s, no two processes in step. The library gives up a connect by it too.</summary>
    // No longer back-off: Redis is to be in use a second after it is back, and four connects a second harm nobody.
    private sealed class ReconnectPolicy(int seed) : IReconnectRetryPolicy
    {
        public bool ShouldRetry(long currentRetryCount, int timeElapsedMillisecondsSinceLastRetry)
        {
            // Asked at each heartbeat; the jitter must stay the same until it says yes.
            var jitter = (uint)HashCode.Combine(seed, currentRetryCount) % 100;
            return timeElapsedMillisecondsSinceLastRetry >= (currentRetryCount == 0 ? 100 : 200 + jitter);
        }
    }
}
