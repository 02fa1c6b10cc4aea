namespace RpOrleans.Coherence;

/// <summary>Readers that work at the same time, as many through each gateway, each over a connection of its own.</summary>
internal static class ConcurrentReaders
{
    /// <summary>Starts them.</summary>
    /// <param name="ports">Where the gateways are asked.</param>
    /// <param name="perGateway">How many readers each has.</param>
    /// <param name="readAsync">What a reader does: the index of its gateway, its own number, its connection; returns how much it did.</param>
    /// <returns>How much they did in all; fails as soon as one fails.</returns>
    public static async Task<long> Start(IReadOnlyList<int> ports, int perGateway, Func<int, int, KeyReader, Task<long>> readAsync)
    {
        var reading = Enumerable.Range(0, ports.Count * perGateway).Select(number => Task.Run(async () =>
        {
            using var reader = new KeyReader(ports[number % ports.Count]);
            return await readAsync(number % ports.Count, number, reader);
        })).ToList();
        var done = 0L;
        await foreach (var one in Task.WhenEach(reading))
        {
            done += await one;
        }

        return done;
    }
}
