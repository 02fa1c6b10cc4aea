using RpOrleans.Gateway.Resp.Commands;
using RpOrleans.Gateway.Resp.Upstream;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Resp;

/// <summary>What all clients' connections share.</summary>
internal sealed class RespServices(
    Router router, Nodes nodes, CachedReads reads, UpstreamPool pool, ServerCommands commands, RespClients clients, GatewayMetrics metrics, GatewayOptions gateway, RedisOptions redis, TimeProvider time)
{
    /// <summary>Marked as dangerous by Redis, but used by applications.</summary>
    private static readonly HashSet<string> _harmless = ["keys", "sort", "info"];

    public Router Router => router;

    public CachedReads Reads => reads;

    /// <summary>For one client's reads.</summary>
    public ReadBatch NewReadBatch() => new(router, nodes);

    public UpstreamPool Pool => pool;

    public ServerCommands Commands => commands;

    public RespClients Clients => clients;

    public GatewayMetrics Metrics => metrics;

    public RedisOptions Redis => redis;

    public TimeProvider Time => time;

    /// <summary>Whether nobody needs to log in.</summary>
    public bool Open => true;

    /// <summary>Whether dangerous commands are let through.</summary>
    public bool AllowsAdmin => gateway.RespAllowAdmin;

    /// <summary>Whether a command that the server calls dangerous is let through.</summary>
    public bool Allows(Command command) => gateway.RespAllowAdmin || _harmless.Contains(command.Name);

    /// <summary>Redis's words for a missing permission.</summary>
    public string NoPermission(Command command) => NoPermission(command.Name);

    /// <inheritdoc cref="NoPermission(Command)"/>
    public string NoPermission(string command) => $"NOPERM this user has no permissions to run the '{command}' command";

    /// <summary>Whether this is a user's password.</summary>
    public bool LogIn(ReadOnlySpan<byte> user, ReadOnlySpan<byte> password) => user.SequenceEqual("default"u8);
}
