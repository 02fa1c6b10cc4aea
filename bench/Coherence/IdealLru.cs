namespace RpOrleans.Coherence;

/// <summary>What nobody can beat with this many entries by dropping the least recently used: no expiry, and a change is known the moment it is made.</summary>
internal sealed class IdealLru(int capacity)
{
    private readonly Dictionary<int, LinkedListNode<int>> _entries = [];
    private readonly LinkedList<int> _byUse = new();

    /// <summary>Reads of what it does not hold.</summary>
    public long Loads { get; private set; }

    public void Read(int key)
    {
        if (!_entries.ContainsKey(key))
        {
            Loads++;
        }

        Hold(key);
    }

    /// <summary>Somebody writes through the cache: it holds the new value.</summary>
    public void Write(int key) => Hold(key);

    /// <summary>Somebody changes what is behind the cache.</summary>
    public void Invalidate(int key)
    {
        if (_entries.Remove(key, out var entry))
        {
            _byUse.Remove(entry);
        }
    }

    private void Hold(int key)
    {
        if (_entries.TryGetValue(key, out var entry))
        {
            _byUse.Remove(entry);
        }
        else
        {
            entry = new LinkedListNode<int>(key);
            _entries.Add(key, entry);
        }

        _byUse.AddFirst(entry);
        if (_entries.Count > capacity)
        {
            _entries.Remove(_byUse.Last!.Value);
            _byUse.RemoveLast();
        }
    }
}
