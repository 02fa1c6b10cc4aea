using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;
using Orleans.Runtime.Placement;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Lru;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Placement;
using RpOrleans.Grains.Settings;
using StackExchange.Redis;

namespace RpOrleans.Grains.Hosting;

/// <summary>Makes a silo a cache node.</summary>
internal static class CacheNodeHosting
{
    /// <summary>What every node has, wherever its silo runs.</summary>
    public static ISiloBuilder AddCacheNode(this ISiloBuilder silo, CacheOptions cache, CoherenceOptions coherence)
    {
        silo.Services.AddPlacementDirector<OwnerPlacement, OwnerPlacementDirector>();
        silo.Services.TryAddSingleton(TimeProvider.System);
        silo.Services.TryAddSingleton(Random.Shared);
        silo.Services.AddSingleton(cache).AddSingleton(coherence);
        silo.Services.AddSingleton(_ => new Session(TimeProvider.System));
        silo.Services.AddSingleton(services =>
        {
            var origin = services.GetRequiredService<IOrigin>();
            return new Leases(coherence, services.GetRequiredService<Session>(), TimeProvider.System, () => origin.Health.Refuses);
        });
        silo.Services.AddSingleton(services =>
        {
            var leases = services.GetRequiredService<Leases>();
            return new LruCache(cache.MaximumEntries, cache.MaximumBytes, services.GetRequiredService<TimeProvider>(), cache.StaleIfError)
            {
                Removed = (entry, _) => leases.TakeBack(entry.Key.Span),
            };
        });
        silo.Services.AddSingleton<HeldEntries>();
        silo.Services.AddSingleton<Ownership>();
        silo.Services.AddSingleton<Settlement>();
        silo.Services.AddSingleton<Joining>();
        silo.Services.AddSingleton<NodeMetrics>();
        silo.Services.AddSingleton<NodeReport>();
        silo.Services.AddSingleton<NodeLifecycle>();
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(services => services.GetRequiredService<NodeLifecycle>());
        silo.Services.Configure<SiloMessagingOptions>(options =>
        {
            // The gateways have deadlines of their own; this only ends what nobody waits for any more.
            options.ResponseTimeout = TimeSpan.FromSeconds(5);
        });
        return silo;
    }

    /// <summary>Redis as the origin.</summary>
    public static ISiloBuilder AddRedisOrigin(this ISiloBuilder silo, RedisOptions redis)
    {
        silo.Services.AddSingleton(redis);
        silo.Services.AddRedisAddress(redis);
        silo.Services.AddSingleton<IOrigin>(services => new RedisOrigin(
            redis,
            services.GetRequiredService<RedisAddress>(),
            services.GetRequiredService<CacheOptions>().MaximumValueBytes,
            services.GetRequiredService<ILogger<RedisOrigin>>(),
            services.GetRequiredService<TimeProvider>()));
        silo.Services.AddSingleton(services => new InvalidationLink(
            services.GetRequiredService<CoherenceOptions>(),
            redis,
            services.GetRequiredService<RedisAddress>(),
            ((RedisOrigin)services.GetRequiredService<IOrigin>()).Connection,
            services.GetRequiredService<Session>(),
            services.GetRequiredService<HeldEntries>(),
            services.GetRequiredService<ILogger<InvalidationLink>>(),
            services.GetRequiredService<IHostApplicationLifetime>()));
        silo.Services.AddSingleton(services => new TrackingTable(
            redis,
            services.GetRequiredService<RedisAddress>(),
            services.GetRequiredService<CacheOptions>(),
            ((RedisOrigin)services.GetRequiredService<IOrigin>()).Connection,
            services.GetRequiredService<Session>(),
            services.GetRequiredService<NodeMetrics>(),
            services.GetRequiredService<IClusterMembershipService>(),
            services.GetRequiredService<ILogger<TrackingTable>>()));
        if (redis.TouchSample > 0)
        {
            silo.Services.AddSingleton(services => new TouchSample(
                redis.TouchSample,
                (RedisOrigin)services.GetRequiredService<IOrigin>(),
                services.GetRequiredService<NodeMetrics>(),
                services.GetRequiredService<ILogger<TouchSample>>()));
        }

        silo.AddStartupTask((services, _) =>
        {
            services.GetRequiredService<InvalidationLink>(); // runs from now on
            services.GetRequiredService<TrackingTable>();
            return Task.CompletedTask;
        });
        return silo;
    }

    /// <summary>Where Redis is; gateways ask it too, for what nodes do not pull.</summary>
    public static IServiceCollection AddRedisAddress(this IServiceCollection services, RedisOptions redis)
    {
        services.TryAddSingleton(provider => new RedisAddress(redis, provider.GetRequiredService<ILogger<RedisAddress>>()));
        return services;
    }

    /// <summary>The silo of a process that has no other: reachable on loopback only.</summary>
    public static ISiloBuilder UseOneProcess(this ISiloBuilder silo, int siloPort, int siloGatewayPort)
    {
        silo.UseLocalhostClustering(siloPort, siloGatewayPort);
        silo.Configure<EndpointOptions>(options => options.SiloListeningEndpoint = new IPEndPoint(IPAddress.Loopback, siloPort));
        return silo;
    }

    /// <summary>One silo of many, that meet in a membership table in Redis.</summary>
    public static ISiloBuilder UseMembershipRedis(
        this ISiloBuilder silo, ClusteringOptions clustering, IPAddress advertised, int siloPort, int siloGatewayPort)
    {
        silo.Configure<ClusterOptions>(options => options.SetIds(clustering));
        silo.Configure<EndpointOptions>(options =>
        {
            options.AdvertisedIPAddress = advertised;
            options.SiloPort = siloPort;
            options.GatewayPort = siloGatewayPort;
            options.SiloListeningEndpoint = new IPEndPoint(ListenOn(advertised), siloPort);
            options.GatewayListeningEndpoint = new IPEndPoint(ListenOn(advertised), siloGatewayPort);
        });
        silo.UseRedisClustering(options => options.ConfigurationOptions = clustering.MembershipConnection());
        var steady = new SteadyTime(TimeProvider.System);
        silo.Services.AddKeyedSingleton<TimeProvider>(TimeProviderNames.Membership, steady);
        silo.Services.AddKeyedSingleton<TimeProvider>(TimeProviderNames.SystemTimers, steady);
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            // Short, because gateways fill the gap with stand-ins that keep nothing. With the default table refresh of a
            // minute, a node that was declared dead while it hung served on for 45 s; with 1 s it ended itself after 2.
            options.ProbeTimeout = TimeSpan.FromMilliseconds(500);
            options.MaxProbeTimeout = TimeSpan.FromSeconds(1);
            options.NumMissedProbesLimit = 3;
            options.TableRefreshTimeout = TimeSpan.FromSeconds(1);
            // A silo that joins waits for those that the table calls active until they have been silent for this long: after
            // all were killed, with the defaults, the first one back waited 90 s for the others.
            options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(1);
            options.NumMissedTableIAmAliveLimit = 3;
            options.DefunctSiloExpiration = TimeSpan.FromMinutes(10);
            options.DefunctSiloCleanupPeriod = TimeSpan.FromMinutes(1);
        });
        return silo;
    }

    /// <summary>Nodes and gateways of one id form one cluster.</summary>
    public static void SetIds(this ClusterOptions options, ClusteringOptions clustering) =>
        (options.ClusterId, options.ServiceId) = (clustering.ClusterId, clustering.ClusterId);

    /// <summary>How the membership Redis is reached.</summary>
    public static ConfigurationOptions MembershipConnection(this ClusteringOptions clustering)
    {
        var options = ConfigurationOptions.Parse(clustering.MembershipRedis!);
        options.Password = clustering.MembershipRedisPassword;
        options.AbortOnConnectFail = false;
        options.ConnectTimeout = 1_000;
        options.AsyncTimeout = options.SyncTimeout = 2_000;
        options.HeartbeatInterval = TimeSpan.FromMilliseconds(250);
        options.ReconnectRetryPolicy = new LinearRetry(500);
        options.ClientName = "rporleans-membership";
        return options;
    }

    private static IPAddress ListenOn(IPAddress advertised) =>
        IPAddress.IsLoopback(advertised) ? advertised : IPAddress.Any;
}
