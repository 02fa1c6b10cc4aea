namespace RpOrleans.Grains.Lru;

// Log-structured memory (Rumble, Kejriwal & Ousterhout, "Log-structured Memory for DRAM-based Storage", FAST 2014): records are
// written one after the other into segments, and a segment of which much is dead is compacted: what still lives in it is
// written anew at the end of the log, and the rest goes. So differing sizes leave no holes that nothing fits into.
//
// What is written is never written over, and a segment that goes is not used again but left to the garbage collector, which
// takes it when nobody looks at it any more. So a value may be handed out without a copy, and without a lock.
//
// What it gives up: a tenth of the memory may be dead, and compaction writes some bytes more than once.

/// <summary>The keys and values of entries.</summary>
internal sealed class RecordLog
{
    /// <summary>Bytes of a segment: of the size of the <see cref="EntryTable"/>'s pieces, so that the memory of one serves for the other.</summary>
    public const int SegmentBytes = EntryTable.ChunkBytes;

    /// <summary>Of what is allocated, one in so many bytes may be dead.</summary>
    public const int DeadShare = 10;

    /// <summary>A record that is larger has a segment to itself: what a segment's end is too small for is no more than this.</summary>
    private const int SharedAtMost = SegmentBytes / 16;

    /// <summary>An array's header, and what is noted of the segment.</summary>
    private const int SegmentOverhead = 24 + 32;

    private readonly ChunkedArray<Segment> _segments = new(chunkBits: 10);
    private readonly SegmentRanking _ranking;
    private int _last;      // the highest number given; 0 is never given
    private int _firstFree;
    private int _open;      // the segment that is written to
    private long _dead;

    public RecordLog() => _ranking = new SegmentRanking(_segments);

    /// <summary>Bytes of all segments.</summary>
    public long Bytes { get; private set; }

    /// <summary>Told of each segment that goes, by its size.</summary>
    public Action<int>? LetGo { get; init; }

    /// <summary>Whether so much is dead that segments are to be compacted.</summary>
    public bool IsWasteful => _dead > (Bytes / DeadShare) + SegmentBytes;

    /// <summary>Bytes that a record of this size takes, with what may be dead beside it.</summary>
    public static long SizeOf(int record) => record + (record > SharedAtMost ? SegmentOverhead : record / (DeadShare - 1));

    /// <summary>The bytes among which a segment's records lie.</summary>
    public byte[] BytesOf(int segment) => _segments[segment].Bytes!;

    /// <summary>Makes room for a record, for the caller to write at once.</summary>
    /// <param name="size">Its size.</param>
    /// <param name="segment">The segment in which it lies.</param>
    /// <param name="offset">Where in it.</param>
    public Span<byte> Append(int size, out int segment, out int offset)
    {
        if (size > SharedAtMost)
        {
            segment = Open(size);
        }
        else
        {
            if (_open == 0 || _segments[_open].Used + size > SegmentBytes)
            {
                Close();
                _open = Open(SegmentBytes);
            }

            segment = _open;
        }

        ref var written = ref _segments[segment];
        offset = written.Used;
        written.Used += size;
        written.Live += size;
        return written.Bytes.AsSpan(offset, size);
    }

    /// <summary>A record is dead.</summary>
    public void Release(int segment, int size)
    {
        ref var holding = ref _segments[segment];
        holding.Live -= size;
        _dead += size;
        if (segment == _open)
        {
            return;
        }

        if (holding.Live == 0)
        {
            Drop(segment);
        }
        else if (holding.Rank >= 0)
        {
            _ranking.Place(segment);
        }
    }

    /// <summary>Takes a segment with much that is dead, for the caller to write its records anew and release them.</summary>
    /// <param name="used">How far its records reach.</param>
    /// <returns>Its number; 0 when there is none.</returns>
    public int TakeWorst(out int used)
    {
        var worst = _ranking.Worst;
        used = worst == 0 ? 0 : _segments[worst].Used;
        if (worst != 0)
        {
            _ranking.Remove(worst);
        }

        return worst;
    }

    /// <summary>Whether a segment is still the one that had these bytes.</summary>
    public bool Holds(int segment, byte[] bytes) => ReferenceEquals(_segments[segment].Bytes, bytes);

    private int Open(int size)
    {
        var number = _firstFree;
        if (number != 0)
        {
            _firstFree = _segments[number].Next;
        }
        else
        {
            _segments.GrowTo(checked(_last + 1));
            number = ++_last;
        }

        _segments[number] = new Segment { Bytes = GC.AllocateUninitializedArray<byte>(size, pinned: true), Rank = -1 };
        Bytes += size;
        return number;
    }

    private void Close()
    {
        var closed = _open;
        if (closed == 0)
        {
            return;
        }

        _open = 0;
        _dead += SegmentBytes - _segments[closed].Used;
        if (_segments[closed].Live == 0)
        {
            Drop(closed);
        }
        else
        {
            _ranking.Place(closed);
        }
    }

    private void Drop(int number)
    {
        _ranking.Remove(number);
        ref var segment = ref _segments[number];
        var size = segment.Bytes!.Length;
        segment = new Segment { Next = _firstFree, Rank = -1 };
        _firstFree = number;
        Bytes -= size;
        _dead -= size;
        LetGo?.Invoke(size);
    }
}
