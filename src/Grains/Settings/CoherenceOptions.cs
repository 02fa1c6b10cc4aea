using System.ComponentModel.DataAnnotations;

namespace RpOrleans.Grains.Settings;

/// <summary>What the freshness of a copy may rest on.</summary>
public enum CoherenceMode
{
    /// <summary>Redis tells of changes as long as it can; otherwise <c>RECORD_EXPIRY</c> is the bound.</summary>
    Auto,

    /// <summary>Redis must tell of changes; nothing that is unconfirmed is served.</summary>
    Tracking,

    /// <summary><c>RECORD_EXPIRY</c> is the bound.</summary>
    Expiry,
}

/// <summary>How fresh a cached answer must be.</summary>
public sealed class CoherenceOptions
{
    /// <summary>What freshness rests on. Default: <c>auto</c>.</summary>
    [Setting("COHERENCE")]
    public CoherenceMode Mode { get; set; } = CoherenceMode.Auto;

    /// <summary>How long a node may rely on a session that has not confirmed itself. Default: 0.5 s.</summary>
    [Setting("COHERENCE_BOUND"), Range(typeof(TimeSpan), "00:00:00.1", "00:00:05")]
    public TimeSpan Bound { get; set; } = TimeSpan.FromSeconds(0.5);
}
