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
}

/// <summary>One read.</summary>
/// <param name="Key">The key's bytes.</param>
/// <param name="Mode">What the reader allows.</param>
[GenerateSerializer, Immutable, Alias("rporleans.ReadRequest")]
public sealed record ReadRequest([property: Id(0)] byte[] Key, [property: Id(1)] ReadMode Mode);
