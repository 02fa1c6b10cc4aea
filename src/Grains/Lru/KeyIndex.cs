using System.Numerics;

namespace RpOrleans.Grains.Lru;

// Linear hashing (Litwin, "Linear Hashing: A New Tool for File and Table Addressing", 1980): there are as many buckets as entries,
// and with each entry that comes one bucket, always the next in turn, is split into itself and a new one. So nobody ever waits
// for a table to be made anew. A bucket that was not split yet in this round has the keys of two, for which it is as long.

/// <summary>Finds entries by the hash of their keys.</summary>
/// <param name="entries">The entries, through which the buckets' chains run.</param>
internal sealed class KeyIndex(EntryTable entries)
{
    private const int ChunkBits = 15;

    private readonly ChunkedArray<int> _buckets = new(ChunkBits);
    private int _count;
    private uint _mask; // of the buckets' numbers, once this round's splits are all done

    /// <summary>How many buckets there are.</summary>
    public int Buckets => _count;

    /// <summary>Bytes that the buckets take.</summary>
    public long Bytes => (long)_buckets.Length * sizeof(int);

    /// <summary>The first entry whose key may have this hash, and after it follow those of its <see cref="EntrySlot.Next"/>; 0 for none.</summary>
    public int First(uint hash) => _count == 0 ? 0 : _buckets[BucketOf(hash)];

    /// <summary>Adds an entry, which is in the table.</summary>
    public void Add(int number)
    {
        if (_count < entries.Count)
        {
            Split();
        }

        Link(number, ref _buckets[BucketOf(entries[number].Hash)]);
    }

    /// <summary>Takes an entry out, which is still in the table.</summary>
    public void Remove(int number)
    {
        LinkTo(number) = entries[number].Next;

        // One more than comes: so an index that empties is small in the end, and one of steady size does not grow and shrink in turn.
        for (var i = 0; i < 2 && _count > entries.Count + (entries.Count >> 1) + 1; i++)
        {
            Merge();
        }
    }

    /// <summary>An entry has another number now.</summary>
    public void Move(int from, int to) => LinkTo(from, entries[to].Hash) = to;

    private void Split()
    {
        var added = _count++;
        _mask = (uint)(BitOperations.RoundUpToPowerOf2((uint)_count) - 1);
        _buckets.GrowTo(added);
        _buckets[added] = 0;
        if (added == 0)
        {
            return;
        }

        ref var old = ref _buckets[(int)(added & (_mask >> 1))];
        var number = old;
        old = 0;
        while (number != 0)
        {
            var next = entries[number].Next;
            Link(number, ref BucketOf(entries[number].Hash) == added ? ref _buckets[added] : ref old);
            number = next;
        }
    }

    private void Merge()
    {
        var removed = --_count;
        var number = _buckets[removed];
        _mask = (uint)(BitOperations.RoundUpToPowerOf2((uint)_count) - 1);
        _buckets.ShrinkTo(removed);
        while (number != 0)
        {
            var next = entries[number].Next;
            Link(number, ref _buckets[BucketOf(entries[number].Hash)]);
            number = next;
        }
    }

    private int BucketOf(uint hash)
    {
        var bucket = hash & _mask;
        return (int)(bucket < (uint)_count ? bucket : bucket & (_mask >> 1));
    }

    private void Link(int number, ref int first)
    {
        entries[number].Next = first;
        first = number;
    }

    private ref int LinkTo(int number) => ref LinkTo(number, entries[number].Hash);

    private ref int LinkTo(int number, uint hash)
    {
        ref var link = ref _buckets[BucketOf(hash)];
        while (link != number)
        {
            link = ref entries[link].Next;
        }

        return ref link;
    }
}
