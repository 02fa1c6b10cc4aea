using RpOrleans.Grains.Settings;

namespace RpOrleans.Grains.Lru;

/// <summary>Says which entries are to be read again before they expire.</summary>
/// <param name="entries">The entries. Whoever holds them, holds this.</param>
/// <param name="options">From when on.</param>
internal sealed class RefreshAhead(LruCache entries, CacheOptions options)
{
    /// <summary>An entry that was asked for this often since it was loaded is read again before it expires; one more says that this has begun.</summary>
    private const byte AskedOften = 3;

    /// <summary>Counts a use.</summary>
    /// <returns>Whether the entry is to be read again: once for each.</returns>
    // Hits pay for this: to count three of them, and then one comparison.
    public bool IsDue(in Entry entry, long now)
    {
        var uses = entry.Uses;
        if (uses < AskedOften)
        {
            entries.SetUses(entry, ++uses);
        }

        if (uses != AskedOften || now - entry.LoadedAt < options.RefreshAhead * (entry.ExpiresAt - entry.LoadedAt))
        {
            return false;
        }

        entries.SetUses(entry, ++uses);
        return true;
    }
}
