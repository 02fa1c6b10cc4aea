using System.ComponentModel.DataAnnotations;

namespace RpOrleans.Grains.Settings;

/// <summary>How the Redis that is cached is reached.</summary>
public sealed class RedisOptions
{
    /// <summary>Host name or address. Default: none, which means the embedded store (one process only).</summary>
    [Setting("REDIS_HOST")]
    public string? Host { get; set; }

    /// <summary>Whether it is the store inside this process.</summary>
    public bool Embedded { get; set; }

    /// <summary>Its port. Default: 6379.</summary>
    [Setting("REDIS_PORT"), Range(1, 65535)]
    public int Port { get; set; } = 6379;

    /// <summary>The database that is cached. Default: 0.</summary>
    [Setting("REDIS_DB"), Range(0, 65535)]
    public int Database { get; set; }

    /// <summary>The ACL user to log in as. Default: Redis's <c>default</c> user.</summary>
    [Setting("REDIS_USER")]
    public string? User { get; set; }

    /// <summary>The password; never printed. Default: none.</summary>
    [Setting("REDIS_PASSWORD", Secret = true)]
    public string? Password { get; set; }

    /// <summary>How long one attempt may take. A read makes at most two. Default: 0.25 s.</summary>
    [Setting("REDIS_TIMEOUT"), Range(typeof(TimeSpan), "00:00:00.01", "00:00:00.5")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(0.25);

    /// <summary>The same Redis, with another deadline for one attempt.</summary>
    /// <param name="timeout">The deadline.</param>
    /// <returns>A copy.</returns>
    public RedisOptions With(TimeSpan timeout)
    {
        var copy = (RedisOptions)MemberwiseClone();
        copy.Timeout = timeout;
        return copy;
    }
}
