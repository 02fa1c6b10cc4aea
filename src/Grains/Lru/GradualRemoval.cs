namespace RpOrleans.Grains.Lru;

// Looking at ten million keys takes seconds, and readers would wait for it. So it is done in pieces, from the highest number down:
// entries that the table moves meanwhile only move down, and so none gets past. What was not looked at yet is when it is asked for.
//
// An entry that came since is looked at like the others: at worst it is read once more.

/// <summary>Removes the entries of chosen keys, a few at a time.</summary>
/// <param name="entries">The entries. Whoever holds them, holds this.</param>
/// <param name="cause">Why.</param>
internal sealed class GradualRemoval(LruCache entries, RemovalCause cause)
{
    private KeyPredicate? _chosen;
    private int _from;

    /// <summary>Chooses keys, besides those that were chosen before and not all looked at: a key that was chosen then may not be now.</summary>
    public void Begin(KeyPredicate chosen)
    {
        var before = _chosen;
        _chosen = before is null ? chosen : key => before(key) || chosen(key);
        _from = int.MaxValue;
    }

    /// <summary>Looks at some entries.</summary>
    /// <param name="most">How many at most.</param>
    /// <returns>Whether there are more.</returns>
    public bool Step(int most)
    {
        if (_chosen is not null && !entries.RemoveSome(_chosen, cause, ref _from, most))
        {
            _chosen = null;
        }

        return _chosen is not null;
    }

    /// <summary>A key is asked for: if it is one of those, its entry leaves now.</summary>
    public void Look(ReadOnlySpan<byte> key)
    {
        if (_chosen is not null && _chosen(key))
        {
            entries.Remove(key, cause);
        }
    }

    /// <summary>Nothing is left of before.</summary>
    public void End() => _chosen = null;
}
