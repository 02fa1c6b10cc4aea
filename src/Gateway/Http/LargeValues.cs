using RpOrleans.Grains;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Http;

/// <summary>
/// Values over <c>MAX_VALUE_BYTES</c>: no node pulls them. The gateway reads them from Redis, on a connection of its own so
/// that they hold up nothing else, a few at a time, and keeps nothing.
/// </summary>
internal sealed class LargeValues(RedisOptions redis, RedisAddress address, CacheOptions cache, ILogger<RedisOrigin> log, TimeProvider time) : IAsyncDisposable
{
    /// <summary>The largest value that is served. One at a time is held, so that a small machine survives many.</summary>
    private const int BytesAtMost = 128 * 1024 * 1024;

    /// <summary>What the node that said so has left of a request's time; the value's transfer may take longer.</summary>
    private static readonly TimeSpan _atMost = TimeSpan.FromMilliseconds(400);

    private readonly SemaphoreSlim _place = new(1, 1);
    private readonly RedisOrigin _origin = new(redis.With(_atMost), address, cache.MaximumValueBytes, log, time); // connects now: the first such value has no time for it

    /// <summary>Reads the value in one piece.</summary>
    /// <param name="key">The key.</param>
    /// <param name="lookup">What the node said of it.</param>
    /// <returns>The same with the value, or with why it cannot be had.</returns>
    public async Task<Lookup> ReadAsync(byte[] key, Lookup lookup)
    {
        var deadline = time.GetTimestamp() + (long)(_atMost.TotalSeconds * time.TimestampFrequency);
        if (!await _place.WaitAsync(_atMost).ConfigureAwait(false))
        {
            return Lookup.Failed(OriginFault.Shed);
        }

        try
        {
            var sent = time.GetTimestamp();
            var read = await _origin.ReadWholeAsync(key, BytesAtMost, deadline).ConfigureAwait(false);
            return lookup with
            {
                Status = read.Kind switch
                {
                    OriginValueKind.Found => LookupStatus.Found,
                    OriginValueKind.Absent => LookupStatus.Absent,
                    _ => LookupStatus.TooLarge,
                },
                Value = read.Value,
                AgeMilliseconds = (long)time.GetElapsedTime(sent).TotalMilliseconds,
            };
        }
        catch (OriginException failure)
        {
            return Lookup.Failed(failure.Fault);
        }
        finally
        {
            _place.Release();
        }
    }

    public ValueTask DisposeAsync() => _origin.DisposeAsync();
}
