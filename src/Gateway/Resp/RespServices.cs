using System.Collections.Concurrent;
using RpOrleans.Gateway.Access;
using RpOrleans.Gateway.Resp.Commands;
using RpOrleans.Gateway.Resp.Upstream;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Resp;

/// <summary>What all clients' connections share.</summary>
internal sealed class RespServices(
    Router router, Nodes nodes, CachedReads reads, UpstreamPool pool, ServerCommands commands, RespClients clients, GatewayMetrics metrics, GatewayOptions gateway, RedisOptions redis, CoherenceOptions coherence, TimeProvider time,
    Logins? logins = null)
{
    /// <summary>Turns the connection to Redis into a debugger's: whoever uses it next would talk to that.</summary>
    private const string ScriptDebugger = "script|debug";

    /// <summary>Marked as dangerous by Redis, but used by applications.</summary>
    private static readonly HashSet<string> _harmless = ["keys", "sort", "info"];

    private readonly ConcurrentBag<ReadBatch> _batches = [];

    public Router Router => router;

    public CachedReads Reads => reads;

    /// <summary>For the reads that a client has under way; to be given back, since most clients have none.</summary>
    public ReadBatch RentReads() => _batches.TryTake(out var batch) ? batch : new(router, nodes);

    /// <summary>Takes it back.</summary>
    public void Return(ReadBatch batch)
    {
        batch.Clear(); // it holds values
        _batches.Add(batch);
    }

    /// <summary>For what a client has Redis write.</summary>
    public WrittenByClient NothingWritten() => new(router, pool, coherence.Bound, time);

    public UpstreamPool Pool => pool;

    public ServerCommands Commands => commands;

    public RespClients Clients => clients;

    public GatewayMetrics Metrics => metrics;

    public RedisOptions Redis => redis;

    public TimeProvider Time => time;

    /// <summary>Whether nobody needs to log in.</summary>
    public bool Open => logins is null;

    /// <summary>Whether dangerous commands are let through; never for a user who may not do everything.</summary>
    public bool AllowsAdmin(User? user) => gateway.RespAllowAdmin && user is not { IsLimited: true };

    /// <summary>Whether a command is let through.</summary>
    public bool Allows(Command command, User? user) => command.Name != ScriptDebugger && (!command.Dangerous || AllowsAdmin(user) || _harmless.Contains(command.Name));

    /// <summary>Redis's words for a missing permission.</summary>
    public string NoPermission(Command command) => NoPermission(command.Name);

    /// <inheritdoc cref="NoPermission(Command)"/>
    public string NoPermission(string command) => UserRights.CommandRefused(command);

    /// <summary>Whether there is a user of this name.</summary>
    public bool Knows(string user) => logins is null ? user == User.Default : user == User.Default || logins.Users.Find(user) is not null;

    /// <summary>Checks a password.</summary>
    /// <returns>Whether it is right, and whose it is; nobody's where nobody needs to log in.</returns>
    public async ValueTask<(bool Right, User? User)> LogInAsync(string name, ReadOnlyMemory<byte> password)
    {
        if (logins is null)
        {
            return (name == User.Default, null); // any will do, as for Redis's users without one
        }

        var user = await logins.LogInAsync(name, password.Span).ConfigureAwait(false);
        return (user is not null, user);
    }
}
