namespace RpOrleans.Grains.Loading;

/// <summary>How many readers may wait for one load of one key.</summary>
internal static class Waiters
{
    // A reader that waits takes one or two kilobytes, so one key ties up some 30 MB at worst. More than the 10,000 connections
    // of a gateway, so that those who ask at once for a cold key, one a connection, are all answered by one load.
    /// <summary>More than this, and the next is refused.</summary>
    public const int AtMost = 16_384;
}
