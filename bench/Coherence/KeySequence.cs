namespace RpOrleans.Coherence;

/// <summary>What is done to a key.</summary>
internal enum Operation
{
    /// <summary>It is read through a gateway.</summary>
    Read,

    /// <summary>It is written through a gateway.</summary>
    Write,

    /// <summary>It is written at Redis.</summary>
    OutsideWrite,
}

/// <summary>Reads and writes of keys, some much more often than others, always the same from the same seed.</summary>
internal static class KeySequence
{
    /// <summary>
    /// By Zipf's law: the key of rank n is used in proportion to n^−exponent. Writes go to keys as reads do, in turn through a
    /// gateway and at Redis.
    /// </summary>
    /// <param name="keys">How many keys there are.</param>
    /// <param name="exponent">How uneven their use is.</param>
    /// <param name="reads">How many reads there are.</param>
    /// <param name="readsPerWrite">After how many reads there is a write.</param>
    public static IReadOnlyList<(Operation Operation, int Key)> Zipf(int keys, double exponent, int reads, int readsPerWrite)
    {
        var random = new Random(1);
        var upTo = new double[keys];
        var sum = 0.0;
        for (var rank = 0; rank < keys; rank++)
        {
            upTo[rank] = sum += Math.Pow(rank + 1, -exponent);
        }

        var sequence = new List<(Operation, int)>(reads + (reads / readsPerWrite));
        for (var read = 1; read <= reads; read++)
        {
            sequence.Add((Operation.Read, Next()));
            if (read % readsPerWrite == 0)
            {
                sequence.Add((read / readsPerWrite % 2 == 0 ? Operation.Write : Operation.OutsideWrite, Next()));
            }
        }

        return sequence;

        int Next()
        {
            var at = Array.BinarySearch(upTo, random.NextDouble() * sum);
            return Math.Min(at < 0 ? ~at : at, keys - 1);
        }
    }
}
