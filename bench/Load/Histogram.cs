using System.Numerics;

namespace RpOrleans.Load;

// Buckets grow with the duration: within each power of two there are 512, so that what is read out is 0.2 % too long at most.

/// <summary>Counts durations, without keeping each.</summary>
internal sealed class Histogram
{
    private const int BitsWithin = 9;
    private readonly long[] _counts = new long[(66 - BitsWithin) << BitsWithin];

    public long Count { get; private set; }

    /// <summary>The longest one.</summary>
    public long Max { get; private set; }

    /// <summary>Counts a duration.</summary>
    /// <param name="duration">In whatever unit; what is read out has the same.</param>
    public void Add(long duration)
    {
        duration = Math.Max(duration, 0);
        Max = Math.Max(Max, duration);
        Count++;
        _counts[BucketOf(duration)]++;
    }

    /// <summary>A duration that so many percent do not exceed; 0 when there are none.</summary>
    public long At(double percent)
    {
        var rank = (long)Math.Ceiling(percent / 100 * Count);
        for (var bucket = 0; bucket < _counts.Length; bucket++)
        {
            rank -= _counts[bucket];
            if (rank <= 0 && Count > 0)
            {
                return Math.Min(EndOf(bucket), Max);
            }
        }

        return 0;
    }

    private static int BucketOf(long duration)
    {
        var shift = Math.Max(0, BitOperations.Log2((ulong)duration | 1) - BitsWithin);
        return (shift << BitsWithin) + (int)(duration >> shift);
    }

    private static long EndOf(int bucket)
    {
        var shift = Math.Max(0, (bucket >> BitsWithin) - 1);
        return ((bucket - ((long)shift << BitsWithin) + 1) << shift) - 1;
    }
}
