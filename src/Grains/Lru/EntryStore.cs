namespace RpOrleans.Grains.Lru;

// Where everything lies: the entries in a table; their keys and values in a log; an index, a list by use and a timer wheel by
// expiry, that all run through the table by numbers. Whatever grows does so by a piece, and whatever empties gives pieces back;
// each addition and removal does its share of that, so that none takes long (docs/decisions/0013).

/// <summary>The entries of a cache, and the orders in which they are found.</summary>
internal sealed class EntryStore
{
    private readonly EntryTable _entries = new();
    private readonly KeyIndex _index;
    private readonly RecordLog _log;
    private readonly Compaction _compaction;

    /// <param name="start">A timestamp before which no entry expires.</param>
    /// <param name="frequency">Timestamps in a second.</param>
    /// <param name="retention">How long after its expiry an entry is retained at most.</param>
    /// <param name="reclaiming">Told of memory that is let go.</param>
    public EntryStore(long start, long frequency, long retention, Reclaiming reclaiming)
    {
        Reclaiming = reclaiming;
        _index = new KeyIndex(_entries);
        _log = new RecordLog { LetGo = size => reclaiming.LetGo(size, Bytes) };
        _compaction = new Compaction(_log, _index, _entries);
        Recency = new RecencyList(_entries);
        Wheel = new TimerWheel(_entries, start, frequency, retention);
    }

    /// <summary>How many entries there are.</summary>
    public int Count => _entries.Count;

    /// <summary>The highest number that an entry may have.</summary>
    public int Last => _entries.Last;

    /// <summary>Bytes of memory that all this takes.</summary>
    public long Bytes => _entries.Bytes + _index.Bytes + _log.Bytes;

    /// <summary>Told of memory that is let go.</summary>
    public Reclaiming Reclaiming { get; }

    /// <summary>The entries by their use.</summary>
    public RecencyList Recency { get; }

    /// <summary>The entries by their expiry.</summary>
    public TimerWheel Wheel { get; }

    /// <summary>An entry's slot. Not to be kept beyond an addition or removal.</summary>
    public ref EntrySlot this[int number] => ref _entries[number];

    /// <summary>Whether an entry has this number.</summary>
    public bool Holds(int number) => _entries.Holds(number);

    /// <summary>The number of a key's entry; 0 when there is none.</summary>
    public int Find(ReadOnlySpan<byte> key)
    {
        var hash = (uint)KeyComparer.Instance.GetHashCode(key);
        var number = _index.First(hash);
        while (number != 0)
        {
            ref var entry = ref _entries[number];
            if (entry.Hash == hash && RecordOf(entry).KeySpan.SequenceEqual(key))
            {
                return number;
            }

            number = entry.Next;
        }

        return 0;
    }

    /// <summary>What there is of an entry.</summary>
    public Entry View(int number) => new(number, _entries[number], RecordOf(_entries[number]));

    /// <summary>An entry's key and value.</summary>
    public Record RecordOf(in EntrySlot entry) => new(_log.BytesOf(entry.Segment), entry.Offset);

    /// <summary>Adds an entry, as the most recently used, for a key that has none.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="absent">Whether Redis does not have the key.</param>
    /// <param name="times">What else is known of it: when it was loaded and expires, its session, its retention.</param>
    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool absent, in EntrySlot times)
    {
        var size = Record.SizeOf(key.Length, value.Length);
        Record.Write(_log.Append(size, out var segment, out var offset), key, value, absent);
        var number = _entries.Add();
        ref var entry = ref _entries[number];
        entry = times;
        (entry.Hash, entry.Segment, entry.Offset) = ((uint)KeyComparer.Instance.GetHashCode(key), segment, offset);
        _index.Add(number);
        Recency.Add(number);
        Wheel.Add(number);
        _compaction.Step(Math.Min(size, RecordLog.SegmentBytes));
    }

    /// <summary>Removes an entry; others may have another number afterwards.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="follow">The number of another entry, or 0; afterwards the one that that has.</param>
    public void Remove(int number, ref int follow)
    {
        _index.Remove(number);
        Recency.Remove(number);
        Wheel.Remove(number);
        var (segment, size) = (_entries[number].Segment, RecordOf(_entries[number]).Length);
        _entries.Remove(number);
        _log.Release(segment, size);

        for (var i = 0; i < 2 && _entries.TryMoveLast(out var from, out var to); i++)
        {
            if (to != 0)
            {
                _index.Move(from, to);
                Recency.Move(to);
                Wheel.Move(to);
                follow = follow == from ? to : follow;
            }
        }

        _compaction.Step(Math.Min(size, RecordLog.SegmentBytes));
    }

    /// <summary>All of it is let go.</summary>
    public void LetGo() => Reclaiming.LetGo(Bytes, 0);
}
