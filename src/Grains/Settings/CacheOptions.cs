using System.ComponentModel.DataAnnotations;

namespace RpOrleans.Grains.Settings;

/// <summary>How much one node keeps, and for how long.</summary>
public sealed class CacheOptions
{
    /// <summary>Most entries one node keeps; the next one evicts the least recently used. Default: 100,000.</summary>
    [Setting("RECORD_CAPACITY"), Range(1, 100_000_000)]
    public int MaximumEntries { get; set; } = 100_000;

    /// <summary>Most bytes one node keeps: keys, values and overhead. Default: 256 MiB.</summary>
    [Setting("RECORD_CAPACITY_BYTES"), Range(1L, 1L << 40)]
    public long MaximumBytes { get; set; } = 268_435_456;

    /// <summary>How long an entry may be served, counted from the read of Redis. Default: one minute.</summary>
    [Setting("RECORD_EXPIRY"), Range(typeof(TimeSpan), "00:00:00.05", "365.00:00:00")]
    public TimeSpan TimeToLive { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long "absent" may be remembered where Redis cannot tell of changes; with tracking it is remembered like a value. Default: not at all.</summary>
    [Setting("ABSENT_EXPIRY"), Range(typeof(TimeSpan), "00:00:00", "365.00:00:00")]
    public TimeSpan AbsentTimeToLive { get; set; } = TimeSpan.Zero;

    /// <summary>Share of its life by which an entry may expire early, at random, so that keys loaded together do not expire together. Default: 0.05.</summary>
    [Setting("EXPIRY_JITTER"), Range(0.0, 0.5)]
    public double ExpiryJitter { get; set; } = 0.05;

    /// <summary>Share of its life after which a read of an often-asked entry has it re-read in the background. Default: 0.9; 1 turns it off.</summary>
    [Setting("REFRESH_AHEAD"), Range(0.5, 1.0)]
    public double RefreshAhead { get; set; } = 0.9;

    /// <summary>How long past its expiry an entry may be served when, and only when, Redis fails. Default: not at all.</summary>
    [Setting("STALE_IF_ERROR"), Range(typeof(TimeSpan), "00:00:00", "365.00:00:00")]
    public TimeSpan StaleIfError { get; set; } = TimeSpan.Zero;

    /// <summary>Longest key over HTTP, in bytes. Default: 1,024.</summary>
    [Setting("MAX_KEY_BYTES"), Range(1, 65_536)]
    public int MaximumKeyBytes { get; set; } = 1_024;

    /// <summary>
    /// Largest value that a node reads and keeps, and that is taken over HTTP, in bytes. Default: 16 MiB. At most 64 MiB,
    /// since a message of more than 100 MB between gateway and node would close the connection for all that use it.
    /// </summary>
    [Setting("MAX_VALUE_BYTES"), Range(1, 67_108_864)]
    public int MaximumValueBytes { get; set; } = 16_777_216;
}
