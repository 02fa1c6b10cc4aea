using System.ComponentModel.DataAnnotations;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway;

/// <summary>Where a gateway listens, and how many it lets in.</summary>
public sealed class GatewayOptions
{
    /// <summary>The address that HTTP and the Redis protocol listen on. Default: <c>localhost</c>.</summary>
    [Setting("HOST_NAME")]
    public string Host { get; set; } = "localhost";

    /// <summary>The port of HTTP. Default: 8080.</summary>
    [Setting("SERVER_PORT"), Range(1, 65535)]
    public int Port { get; set; } = 8080;

    /// <summary>The port of the Redis protocol; 0 for none. Default: 6380.</summary>
    [Setting("RESP_PORT"), Range(0, 65535)]
    public int RespPort { get; set; } = 6380;

    /// <summary>Lets through what Redis marks as for administrators, or as dangerous. Default: false.</summary>
    [Setting("RESP_ALLOW_ADMIN")]
    public bool RespAllowAdmin { get; set; }

    /// <summary>How long a client of the Redis protocol may send nothing; those that have subscribed or wait for something may. Default: for ever, as Redis's <c>timeout</c>.</summary>
    [Setting("RESP_IDLE_TIMEOUT"), Range(typeof(TimeSpan), "00:00:00", "365.00:00:00")]
    public TimeSpan RespIdleTimeout { get; set; } = TimeSpan.Zero;

    /// <summary>Connections at once; one more is told that there are too many. Default: 10,000.</summary>
    [Setting("MAX_CLIENTS"), Range(1, 1_000_000)]
    public int MaximumClients { get; set; } = 10_000;

    /// <summary>Memory in which copies of often-asked entries are kept, each on a lease from its owner; 0: every read goes to the owner. Not used where the node is in the same process. Default: 64 MiB.</summary>
    [Setting("NEAR_CACHE_BYTES"), Range(0, long.MaxValue)]
    public long NearCacheBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>The password of the user <c>default</c>, who may read and write everything, over HTTP too; never printed. Default: none.</summary>
    [Setting("RESP_PASSWORD", Secret = true)]
    public string? Password { get; set; }

    /// <summary>A file of users, over HTTP too (docs/access.md). Default: none.</summary>
    [Setting("RESP_USERS_FILE")]
    public string? UsersFile { get; set; }

    /// <summary>Whether everybody has to log in.</summary>
    public bool HasUsers => Password is not null || UsersFile is not null;

    /// <summary>Lets anybody in who reaches the port. Needed to listen on anything but loopback without users; where there are some, they log in all the same. Default: false.</summary>
    [Setting("ALLOW_ANONYMOUS")]
    public bool AllowAnonymous { get; set; }
}
