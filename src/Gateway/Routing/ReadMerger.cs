using RpOrleans.Grains;
using RpOrleans.Grains.Lru;

namespace RpOrleans.Gateway.Routing;

// A herd after a cold key comes in batches: all look-ups of one call are answered together, and all miss. They would be as many
// calls to the node, which has more to do with them than with the one read of Redis that they wait for. A read that was sent
// is not joined: what comes later must see what was written before it came.

/// <summary>Makes one call of the reads of one key that come at the same time.</summary>
/// <param name="read">Has the node read.</param>
internal sealed class ReadMerger(Func<ReadRequest, TimeSpan, Task<Lookup>> read)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<byte[], Task<Lookup>> _unsent = new(KeyComparer.Instance);

    /// <summary>Has the node read a key, together with those who ask in this moment.</summary>
    public Task<Lookup> ReadAsync(ReadRequest request, TimeSpan atMost)
    {
        lock (_lock)
        {
            return _unsent.TryGetValue(request.Key, out var unsent)
                ? JoinAsync(unsent)
                : _unsent[request.Key] = SendSoonAsync(request, atMost);
        }
    }

    private async Task<Lookup> SendSoonAsync(ReadRequest request, TimeSpan atMost)
    {
        await Task.Yield(); // the pool takes it up when those who have been answered with this one are through
        lock (_lock)
        {
            _unsent.Remove(request.Key);
        }

        return await read(request, atMost).ConfigureAwait(false);
    }

    private static async Task<Lookup> JoinAsync(Task<Lookup> unsent)
    {
        var lookup = await unsent.ConfigureAwait(false);
        return lookup.Source == LookupSource.Origin ? lookup with { Source = LookupSource.Collapsed } : lookup;
    }
}
