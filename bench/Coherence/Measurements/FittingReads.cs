namespace RpOrleans.Coherence.Measurements;

/// <summary>How often Redis is read when all keys fit.</summary>
internal static class FittingReads
{
    private const int Passes = 3;
    private const int ReadersPerGateway = 16;

    public static Measurement Measurement { get; } = new("fitting", _ => new() { ["RECORD_EXPIRY"] = "86400" }, RunAsync);

    private static async Task<IReadOnlyList<Row>> RunAsync(Cluster cluster, Options options)
    {
        var keys = options.Take(100_000, 20_000);
        cluster.Fill(keys);
        var order = Enumerable.Range(0, Passes).SelectMany(pass =>
        {
            var shuffled = Enumerable.Range(0, keys).ToArray();
            new Random(pass).Shuffle(shuffled);
            return shuffled;
        }).ToArray();

        var (next, failed) = (-1, 0);
        var before = await cluster.ReadsOfRedisAsync();
        await ConcurrentReaders.Start(cluster.Ports, ReadersPerGateway, async (_, _, reader) =>
        {
            var done = 0L;
            for (; Interlocked.Increment(ref next) is var turn && turn < order.Length; done++)
            {
                if (!(await reader.AskAsync(order[turn])).IsAnswered)
                {
                    Interlocked.Increment(ref failed);
                }
            }

            return done;
        });

        var reads = await cluster.ReadsOfRedisAsync() - before;
        return
        [
            new Row(
                $"{keys:N0} keys that all fit, each read {Passes} times over both gateways",
                "each key read from Redis once",
                $"{reads:N0} reads of Redis; {failed} reads not answered",
                reads == keys && failed == 0),
        ];
    }
}
