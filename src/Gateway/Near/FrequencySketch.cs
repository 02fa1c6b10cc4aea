namespace RpOrleans.Gateway.Near;

// A count-min sketch (Cormode & Muthukrishnan, 2005) with the ageing of TinyLFU (Einziger et al., 2017): all counts are halved after as many
// requests as a row has counters: keys that are seldom asked for, however many they are, then count about one each, and
// what was asked for often long ago is forgotten. Readers count without a lock: a count that is lost does no harm.

/// <summary>Estimates how often keys were asked for lately.</summary>
/// <param name="width">How many counters each row has; a power of two.</param>
internal sealed class FrequencySketch(int width)
{
    private readonly byte[] _first = new byte[width];
    private readonly byte[] _second = new byte[width];
    private int _requests;

    /// <summary>Counts a request.</summary>
    /// <param name="hash">The key's hash, all of whose bits are as good as random.</param>
    /// <returns>How often it was asked for with this time; never too few, but for what was halved, and at most 255.</returns>
    public int Count(ulong hash)
    {
        if (Interlocked.Increment(ref _requests) >= width)
        {
            Halve();
        }

        return Math.Min(Count(_first, (int)hash), Count(_second, (int)(hash >> 32)));
    }

    private void Halve()
    {
        Volatile.Write(ref _requests, 0);
        foreach (var row in new[] { _first, _second })
        {
            for (var i = 0; i < row.Length; i++)
            {
                row[i] /= 2;
            }
        }
    }

    private int Count(byte[] row, int hash)
    {
        ref var counter = ref row[hash & (width - 1)];
        return counter < byte.MaxValue ? ++counter : counter;
    }
}
