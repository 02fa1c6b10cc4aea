namespace RpOrleans.Coherence.Measurements;

// In every other round Redis is held up while the herd arrives: all of it must wait for one load then. In the others the
// load takes what it takes, and the late ones of the herd find its answer.

/// <summary>How often Redis is read when everybody wants one key that nobody has asked for yet.</summary>
internal static class ColdKeyHerd
{
    private const int RedisHeldUpMilliseconds = 150; // less than one attempt at Redis may take

    public static Measurement Measurement { get; } = new("herd", _ => [], RunAsync);

    private static async Task<IReadOnlyList<Row>> RunAsync(Cluster cluster, Options options)
    {
        var readers = options.Take(10_000, 2_000);
        var rounds = options.Take(10, 4);
        cluster.Fill(rounds + 1);
        var herd = Enumerable.Range(0, readers).Select(number => new KeyReader(cluster.Ports[number % cluster.Ports.Count])).ToList();
        await ReadAsync(herd, rounds); // its connections are in use, its code is compiled

        var (loads, failed) = (new List<long>(), 0);
        for (var key = 0; key < rounds; key++)
        {
            var before = await cluster.ReadsOfRedisAsync();
            if (key % 2 == 0)
            {
                await cluster.Data.CommandAsync("CLIENT", "PAUSE", $"{RedisHeldUpMilliseconds}", "ALL");
            }

            failed += await ReadAsync(herd, key);
            loads.Add(await cluster.ReadsOfRedisAsync() - before);
        }

        herd.ForEach(reader => reader.Dispose());
        return
        [
            new Row(
                $"{readers:N0} concurrent reads of one cold key, over both gateways",
                "1 read of Redis",
                $"{string.Join(", ", loads)} in {rounds} rounds, in every other of which Redis was held up for {RedisHeldUpMilliseconds} ms; "
                + $"{failed} of the herds' reads not answered",
                loads.All(count => count == 1) && failed == 0),
        ];
    }

    /// <returns>How many were not answered.</returns>
    private static async Task<int> ReadAsync(List<KeyReader> herd, int key)
    {
        var reads = await Task.WhenAll(herd.Select(reader => reader.AskAsync(key).AsTask()));
        return reads.Count(read => read.Status != 200);
    }
}
