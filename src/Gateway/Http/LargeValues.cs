using RpOrleans.Grains;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Gateway.Http;

/// <summary>
/// Values over <c>MAX_VALUE_BYTES</c>: no node pulls them. The gateway reads them from Redis, on a connection of its own so
/// that they hold up nothing else, a few at a time, and keeps nothing.
/// </summary>
internal sealed class LargeValues(Func<RedisOrigin> connect, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan _atMost = TimeSpan.FromMilliseconds(400);

    private readonly SemaphoreSlim _places = new(2, 2);
    private readonly Lazy<RedisOrigin> _origin = new(connect);

    /// <summary>Reads the value in one piece.</summary>
    /// <param name="key">The key.</param>
    /// <param name="lookup">What the node said of it.</param>
    /// <returns>The same with the value, or with why it cannot be had.</returns>
    public async Task<Lookup> ReadAsync(byte[] key, Lookup lookup)
    {
        var deadline = time.GetTimestamp() + (long)(_atMost.TotalSeconds * time.TimestampFrequency);
        if (!await _places.WaitAsync(_atMost).ConfigureAwait(false))
        {
            return Lookup.Failed(OriginFault.Shed);
        }

        try
        {
            var sent = time.GetTimestamp();
            var value = await _origin.Value.ReadWholeAsync(key, deadline).ConfigureAwait(false);
            return new Lookup
            {
                Status = value is null ? LookupStatus.Absent : LookupStatus.Found,
                Source = LookupSource.Origin,
                Value = value,
                AgeMilliseconds = (long)time.GetElapsedTime(sent).TotalMilliseconds,
            };
        }
        catch (OriginException failure)
        {
            return Lookup.Failed(failure.Fault);
        }
        finally
        {
            _places.Release();
        }
    }

    public ValueTask DisposeAsync() => _origin.IsValueCreated ? _origin.Value.DisposeAsync() : ValueTask.CompletedTask;
}
