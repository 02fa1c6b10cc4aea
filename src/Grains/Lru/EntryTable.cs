namespace RpOrleans.Grains.Lru;

// What leaves makes room for what comes: free slots form a list, through fields that nothing else needs then. When many are free
// the last entry moves into one of them, two for each that leaves, so that the table shrinks as it empties, and never all at once.

/// <summary>The entries, each by its number, from 1. A number holds until the entry is removed, or moved by <see cref="TryMoveLast"/>.</summary>
internal sealed class EntryTable
{
    /// <summary>Bytes of one piece of the table.</summary>
    public const int ChunkBytes = EntrySlot.Bytes << ChunkBits;

    private const int ChunkBits = 12;
    private const int FreeMark = -1;

    private readonly ChunkedArray<EntrySlot> _slots = new(ChunkBits);
    private int _last;      // the highest number given; 0 is never given
    private int _firstFree;
    private int _free;

    /// <summary>How many entries there are.</summary>
    public int Count => _last - _free;

    /// <summary>The highest number that an entry may have.</summary>
    public int Last => _last;

    /// <summary>Bytes that the table takes.</summary>
    public long Bytes => (long)_slots.Length * EntrySlot.Bytes;

    /// <summary>An entry. Not to be kept beyond an addition or removal.</summary>
    public ref EntrySlot this[int number] => ref _slots[number];

    /// <summary>Whether an entry has this number.</summary>
    public bool Holds(int number) => number > 0 && number <= _last && _slots[number].Segment != FreeMark;

    /// <summary>Makes room for an entry.</summary>
    /// <returns>Its number; its slot is all zeros.</returns>
    public int Add()
    {
        if (_firstFree != 0)
        {
            var number = _firstFree;
            TakeFree(number);
            _slots[number] = default;
            return number;
        }

        _slots.GrowTo(checked(_last + 1));
        _last++;
        _slots[_last] = default;
        return _last;
    }

    /// <summary>Frees an entry's slot.</summary>
    public void Remove(int number)
    {
        ref var slot = ref _slots[number];
        (slot.Segment, slot.Newer, slot.Older) = (FreeMark, 0, _firstFree);
        if (_firstFree != 0)
        {
            _slots[_firstFree].Newer = number;
        }

        _firstFree = number;
        _free++;
    }

    /// <summary>Makes the table one slot shorter if too many are free.</summary>
    /// <param name="from">The number under which an entry was held.</param>
    /// <param name="to">The number under which it is held now, for those who know it by the other; 0 when none was moved.</param>
    /// <returns>Whether it became shorter.</returns>
    public bool TryMoveLast(out int from, out int to)
    {
        (from, to) = (_last, 0);
        if (_free <= (Count >> 3) + (1 << ChunkBits))
        {
            return false;
        }

        if (_slots[_last].Segment == FreeMark)
        {
            TakeFree(_last);
        }
        else
        {
            to = _firstFree;
            TakeFree(to);
            _slots[to] = _slots[_last];
        }

        _last--;
        _slots.ShrinkTo(_last);
        return true;
    }

    private void TakeFree(int number)
    {
        var (newer, older) = (_slots[number].Newer, _slots[number].Older);
        if (older != 0)
        {
            _slots[older].Newer = newer;
        }

        if (newer != 0)
        {
            _slots[newer].Older = older;
        }
        else
        {
            _firstFree = older;
        }

        _free--;
    }
}
