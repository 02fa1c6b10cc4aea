using System.Net;
using System.Net.Sockets;
using RpOrleans.Gateway.Access;
using RpOrleans.Grains.Admin;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway;

/// <summary>What a gateway needs to know.</summary>
internal sealed record GatewaySettings(
    GatewayOptions Gateway, CacheOptions Cache, CoherenceOptions Coherence, RedisOptions Redis, ClusteringOptions Clustering, AdminOptions Admin, IReadOnlyList<string> Warnings)
{
    private const string PortName = "SERVER_PORT";
    private const string PortNameAsTheOriginalSpelledIt = "SEVER_PORT";

    /// <summary>Who may use it; <see langword="null"/> for everybody.</summary>
    public Users? Users { get; private init; }

    /// <summary>Whether the node runs in this process too.</summary>
    public bool OneProcess => Clustering.Clustering == RpOrleans.Grains.Settings.Clustering.Embedded;

    /// <summary>Reads the environment.</summary>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">Something is wrong; everything that is is named.</exception>
    public static GatewaySettings Read(IConfiguration configuration)
    {
        var warnings = new List<string>();
        var reader = new SettingsReader(WithPortOf(configuration, warnings));
        var (port, misspelled) = (configuration[PortName], configuration[PortNameAsTheOriginalSpelledIt]);
        if (!string.IsNullOrEmpty(port) && !string.IsNullOrEmpty(misspelled) && port != misspelled)
        {
            reader.Reject(PortNameAsTheOriginalSpelledIt, misspelled, $"must not differ from {PortName}={port}; leave it out");
        }

        var gateway = reader.Read<GatewayOptions>();
        var settings = new GatewaySettings(
            gateway, reader.Read<CacheOptions>(), reader.Read<CoherenceOptions>(), RedisOptions.Read(reader), reader.Read<ClusteringOptions>(),
            reader.Read<AdminOptions>(), warnings)
        {
            Users = Users.Read(gateway, reader),
        };
        settings.CheckHost(reader);
        settings.CheckCluster(reader);
        reader.ThrowIfRejected();
        return settings;
    }

    private void CheckHost(SettingsReader reader)
    {
        try
        {
            if (!IPAddress.IsLoopback(Listening.AddressOf(Gateway.Host)) && !Gateway.HasUsers && !Gateway.AllowAnonymous)
            {
                reader.Reject("HOST_NAME", Gateway.Host, "would let anybody in who reaches this machine; set RESP_PASSWORD or RESP_USERS_FILE, or ALLOW_ANONYMOUS=true if that is meant, or listen on localhost");
            }
        }
        catch (SocketException)
        {
            reader.Reject("HOST_NAME", Gateway.Host, "must be an address of this machine, or a name of one");
        }

        if (Admin.Port == Gateway.Port)
        {
            reader.Reject("ADMIN_PORT", $"{Admin.Port}", $"must differ from {PortName}");
        }

        if (Gateway.RespPort == Gateway.Port || (Gateway.RespPort != 0 && Gateway.RespPort == Admin.Port))
        {
            reader.Reject("RESP_PORT", $"{Gateway.RespPort}", $"must differ from {PortName} and ADMIN_PORT; 0 turns the Redis protocol off");
        }
    }

    private void CheckCluster(SettingsReader reader)
    {
        if (OneProcess)
        {
            return;
        }

        if (reader.Raw("MEMBERSHIP_REDIS") is null)
        {
            reader.Reject("MEMBERSHIP_REDIS", null, "must be host:port of the Redis that holds the membership table, with CLUSTERING=redis");
        }

        if (!Redis.IsGiven)
        {
            reader.Reject("REDIS_HOST", null, "must name the Redis that is cached, or REDIS_SENTINEL its sentinels, with CLUSTERING=redis (a gateway reads values over MAX_VALUE_BYTES itself)");
        }
    }

    private static IConfiguration WithPortOf(IConfiguration configuration, List<string> warnings)
    {
        if (configuration[PortNameAsTheOriginalSpelledIt] is not { Length: > 0 } misspelled)
        {
            return configuration;
        }

        warnings.Add($"{PortNameAsTheOriginalSpelledIt} is taken for {PortName}; please rename it");
        return string.IsNullOrEmpty(configuration[PortName])
            ? new ConfigurationBuilder().AddConfiguration(configuration).AddInMemoryCollection([new(PortName, misspelled)]).Build()
            : configuration;
    }
}
