namespace RpOrleans.Grains.Lru;

/// <summary>The order in which entries were used, as a list through the entries themselves.</summary>
/// <param name="entries">The entries.</param>
internal sealed class RecencyList(EntryTable entries)
{
    /// <summary>The least recently used; 0 when there is none.</summary>
    public int Oldest { get; private set; }

    /// <summary>The most recently used; 0 when there is none.</summary>
    public int Newest { get; private set; }

    /// <summary>Adds an entry as the most recently used.</summary>
    public void Add(int number)
    {
        ref var entry = ref entries[number];
        (entry.Older, entry.Newer) = (Newest, 0);
        if (Newest != 0)
        {
            entries[Newest].Newer = number;
        }
        else
        {
            Oldest = number;
        }

        Newest = number;
    }

    /// <summary>Takes an entry out.</summary>
    public void Remove(int number) => Relink(number, entries[number].Older, entries[number].Newer);

    /// <summary>An entry was used.</summary>
    public void MakeNewest(int number)
    {
        if (number != Newest)
        {
            Remove(number);
            Add(number);
        }
    }

    /// <summary>An entry has another number now.</summary>
    public void Move(int to) => Relink(to, to, to);

    /// <summary>Lets an entry's neighbours point to others than itself.</summary>
    private void Relink(int number, int newersOlder, int oldersNewer)
    {
        var (older, newer) = (entries[number].Older, entries[number].Newer);
        if (newer != 0)
        {
            entries[newer].Older = newersOlder;
        }
        else
        {
            Newest = newersOlder;
        }

        if (older != 0)
        {
            entries[older].Newer = oldersNewer;
        }
        else
        {
            Oldest = oldersNewer;
        }
    }
}
