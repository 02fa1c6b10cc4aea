namespace RpOrleans.Grains.Lru;

/// <summary>Why an entry left the cache.</summary>
internal enum RemovalCause
{
    /// <summary>For space: it was the least recently used.</summary>
    Evicted,

    /// <summary>For time: its life was over.</summary>
    Expired,

    /// <summary>On request: what it said may not be true any more.</summary>
    Invalidated,

    /// <summary>Another value was put under its key.</summary>
    Replaced,

    /// <summary>Its key is owned by another node now.</summary>
    Moved,
}
