using System.Numerics;

namespace RpOrleans.Grains.Lru;

/// <summary>The full segments of the log in 64 ranks, by how much of them is dead.</summary>
/// <param name="segments">The segments, through which a list for each rank runs.</param>
// By ranks and not in order: a record that dies changes its segment's rank seldom, and by a few links then.
internal sealed class SegmentRanking(ChunkedArray<Segment> segments)
{
    private const int Ranks = 64;
    private const int Unranked = -1;

    private readonly int[] _first = new int[Ranks];
    private ulong _occupied;

    /// <summary>One of those with the most dead bytes; 0 when there is none.</summary>
    public int Worst => _occupied == 0 ? 0 : _first[BitOperations.Log2(_occupied)];

    /// <summary>Puts a segment where it belongs.</summary>
    public void Place(int number)
    {
        ref var segment = ref segments[number];
        var rank = (int)Math.Min(Ranks - 1, (long)(RecordLog.SegmentBytes - segment.Live) * Ranks / RecordLog.SegmentBytes);
        if (rank == segment.Rank)
        {
            return;
        }

        Remove(number);
        (segment.Rank, segment.Next, segment.Previous) = (rank, _first[rank], 0);
        if (segment.Next != 0)
        {
            segments[segment.Next].Previous = number;
        }

        _first[rank] = number;
        _occupied |= 1UL << rank;
    }

    /// <summary>Takes a segment out, if it is among them.</summary>
    public void Remove(int number)
    {
        ref var segment = ref segments[number];
        if (segment.Rank == Unranked)
        {
            return;
        }

        if (segment.Next != 0)
        {
            segments[segment.Next].Previous = segment.Previous;
        }

        if (segment.Previous != 0)
        {
            segments[segment.Previous].Next = segment.Next;
        }
        else if ((_first[segment.Rank] = segment.Next) == 0)
        {
            _occupied &= ~(1UL << segment.Rank);
        }

        segment.Rank = Unranked;
    }
}
