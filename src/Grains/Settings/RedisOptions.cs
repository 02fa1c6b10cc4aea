using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

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

    /// <summary>The sentinels that know which server it is, <c>name@host:port,host:port</c>, in place of host and port. Default: none.</summary>
    [Setting("REDIS_SENTINEL"), RegularExpression(SentinelList.Pattern, ErrorMessage = "name@host:port,host:port,…: the master's name and its sentinels")]
    public string? SentinelText { get; set; }

    /// <summary>What <see cref="SentinelText"/> says.</summary>
    public SentinelList? Sentinel { get; private set; }

    /// <summary>The password of the sentinels themselves; never printed. Default: none.</summary>
    [Setting("REDIS_SENTINEL_PASSWORD", Secret = true)]
    public string? SentinelPassword { get; set; }

    /// <summary>Whether a Redis is named at all.</summary>
    public bool IsGiven => Host is not null || SentinelText is not null;

    /// <summary>It in a few words, for the operator.</summary>
    public string Description => Sentinel is { } sentinel ? $"Redis {sentinel.Master}, as its sentinels say" : $"Redis {Host}:{Port}";

    /// <summary>The database that is cached. Default: 0.</summary>
    [Setting("REDIS_DB"), Range(0, 65535)]
    public int Database { get; set; }

    /// <summary>The ACL user to log in as. Default: Redis's <c>default</c> user.</summary>
    [Setting("REDIS_USER")]
    public string? User { get; set; }

    /// <summary>The password; never printed. Default: none.</summary>
    [Setting("REDIS_PASSWORD", Secret = true)]
    public string? Password { get; set; }

    /// <summary>Whether it is reached over TLS. Default: no, unless <see cref="TlsAuthoritiesFile"/> is set.</summary>
    [Setting("REDIS_TLS")]
    public bool? Tls { get; set; }

    /// <summary>A PEM file with the certificates of those who may vouch for Redis's. Default: those that the system trusts.</summary>
    [Setting("REDIS_TLS_CA")]
    public string? TlsAuthoritiesFile { get; set; }

    /// <summary>Whether every connection to it is over TLS.</summary>
    public bool UsesTls => Tls ?? TlsAuthoritiesFile is not null;

    /// <summary>What is in <see cref="TlsAuthoritiesFile"/>; <see langword="null"/> for those that the system trusts.</summary>
    public X509Certificate2Collection? TlsAuthorities { get; private set; }

    /// <summary>How long one attempt may take. A read makes at most two. Default: 0.25 s.</summary>
    [Setting("REDIS_TIMEOUT"), Range(typeof(TimeSpan), "00:00:00.01", "00:00:00.5")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(0.25);

    /// <summary>The share of the reads answered from memory of which Redis is told by <c>TOUCH</c>. Default: none.</summary>
    [Setting("TOUCH_SAMPLE"), Range(0.0, 1.0)]
    public double TouchSample { get; set; }

    /// <summary>Reads them, and checks them against each other.</summary>
    /// <param name="reader">Where the variables are; told of what is wrong.</param>
    /// <returns>The options.</returns>
    public static RedisOptions Read(SettingsReader reader)
    {
        var options = reader.Read<RedisOptions>();
        if (options.SentinelText is { } text)
        {
            options.Sentinel = SentinelList.Parse(text);
            if (options.Sentinel is null)
            {
                reader.Reject("REDIS_SENTINEL", text, "a port must be from 1 to 65535");
            }

            if (options.Host is { } host)
            {
                reader.Reject("REDIS_HOST", host, "contradicts REDIS_SENTINEL, which says where Redis is; leave one of them out");
            }
        }
        else if (options.SentinelPassword is not null)
        {
            reader.Reject("REDIS_SENTINEL_PASSWORD", "(not shown)", "needs REDIS_SENTINEL");
        }

        if (options.UsesTls && !options.IsGiven)
        {
            reader.Reject(options.Tls is null ? "REDIS_TLS_CA" : "REDIS_TLS", options.TlsAuthoritiesFile ?? "true", "the embedded store has no TLS; set REDIS_HOST or REDIS_SENTINEL");
        }

        if (options.TlsAuthoritiesFile is { } file)
        {
            options.TlsAuthorities = ReadAuthorities(file, reader);
            if (options.Tls == false)
            {
                reader.Reject("REDIS_TLS", "false", "contradicts REDIS_TLS_CA, which asks for TLS; leave one of them out");
            }
        }

        return options;
    }

    /// <summary>The same Redis, with another deadline for one attempt.</summary>
    /// <param name="timeout">The deadline.</param>
    /// <returns>A copy.</returns>
    public RedisOptions With(TimeSpan timeout)
    {
        var copy = (RedisOptions)MemberwiseClone();
        copy.Timeout = timeout;
        return copy;
    }

    private static X509Certificate2Collection? ReadAuthorities(string file, SettingsReader reader)
    {
        const string Allowed = "must be a PEM file with the certificate of at least one authority";
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(file);
            if (authorities.Count > 0)
            {
                return authorities;
            }

            reader.Reject("REDIS_TLS_CA", file, $"{Allowed}; this one has none");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            reader.Reject("REDIS_TLS_CA", file, $"{Allowed}; {(failure is CryptographicException or ArgumentException ? "what is in this one is none" : "this one cannot be read")}");
        }

        return null;
    }
}
