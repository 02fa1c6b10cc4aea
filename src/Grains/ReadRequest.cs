using RpOrleans.Grains.Coherence;

namespace RpOrleans.Grains;

/// <summary>What a reader allows.</summary>
public enum ReadMode : byte
{
    /// <summary>A copy will do; what is read from Redis is kept.</summary>
    Normal,

    /// <summary>Redis must be read now, after the request arrived; the answer is kept (<c>Cache-Control: no-cache</c>).</summary>
    Refresh,

    /// <summary>Redis must be read now, and nothing is kept (<c>Cache-Control: no-store</c>; stand-ins).</summary>
    Bypass,

    /// <summary>Redis must not be read: what is held will do, stale as well as fresh (<c>Cache-Control: only-if-cached, max-stale</c>).</summary>
    Held,
}

/// <summary>Which copies a reader takes.</summary>
/// <param name="MaximumAge">Of which age at most, whatever befalls Redis.</param>
/// <param name="MinimumFresh">For how much longer fresh, whatever befalls Redis.</param>
/// <param name="MaximumStale">Where Redis cannot be read: how long past its expiry, zero for none that is stale in any way. <see langword="null"/>: as the node does.</param>
[GenerateSerializer, Immutable, Alias("rporleans.CopyTerms")]
public sealed record CopyTerms(
    [property: Id(0)] TimeSpan? MaximumAge = null, [property: Id(1)] TimeSpan? MinimumFresh = null, [property: Id(2)] TimeSpan? MaximumStale = null)
{
    /// <summary>Whether a copy will do.</summary>
    public bool Accept(in Lookup copy)
    {
        var fresh = TimeSpan.FromMilliseconds(copy.FreshMilliseconds);
        return (MaximumAge is not { } age || copy.AgeMilliseconds <= age.TotalMilliseconds)
            && (MinimumFresh is not { } more || (copy.Freshness != Freshness.Expired && fresh >= more))
            && (MaximumStale is not { } stale || !copy.Stale || (stale > TimeSpan.Zero && -fresh <= stale));
    }
}

/// <summary>One read.</summary>
/// <param name="Key">The key's bytes.</param>
/// <param name="Mode">What the reader allows.</param>
/// <param name="Copies">Which copies will do, where one does; <see langword="null"/> for those that the node serves by itself.</param>
[GenerateSerializer, Immutable, Alias("rporleans.ReadRequest")]
public sealed record ReadRequest([property: Id(0)] byte[] Key, [property: Id(1)] ReadMode Mode, [property: Id(2)] CopyTerms? Copies = null);
