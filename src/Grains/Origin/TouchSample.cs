using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace RpOrleans.Grains.Origin;

// TOUCH is sent over the data connection, where Redis takes it for a read: it tracks the key (once more, or anew). So it can
// cost an invalidation that nobody needs, and can never lose one.

/// <summary>Tells Redis of a share of the reads that were answered from memory, so that its LRU or LFU does not take often-read keys for idle ones.</summary>
internal sealed partial class TouchSample : IAsyncDisposable
{
    private const int WaitingAtMost = 1_024;
    private const int KeysInOne = 64;

    private static readonly TimeSpan _atMost = TimeSpan.FromSeconds(1);

    private readonly double _share;
    private readonly RedisOrigin _origin;
    private readonly NodeMetrics _metrics;
    private readonly ILogger _logger;

    // One command at a time: with a slow Redis the rest waits, and what does not fit any more is left out.
    private readonly Channel<byte[]> _waiting = Channel.CreateBounded<byte[]>(
        new BoundedChannelOptions(WaitingAtMost) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private readonly Task _sending;
    private bool _refused;

    /// <param name="share">The share, above 0.</param>
    /// <param name="origin">Redis.</param>
    /// <param name="metrics">Told of what was sent and what was left out.</param>
    /// <param name="logger">Told once if Redis does not let us.</param>
    public TouchSample(double share, RedisOrigin origin, NodeMetrics metrics, ILogger<TouchSample> logger)
    {
        (_share, _origin, _metrics, _logger) = (share, origin, metrics, logger);
        _sending = Task.Run(SendAsync);
    }

    /// <summary>A read of this key was answered from memory. Never waits.</summary>
    public void Offer(ReadOnlySpan<byte> key)
    {
        if (Random.Shared.NextDouble() < _share && !_waiting.Writer.TryWrite(key.ToArray()))
        {
            Interlocked.Increment(ref _metrics.TouchesDropped);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        await _sending;
    }

    private async Task SendAsync()
    {
        var reader = _waiting.Reader;
        var keys = new List<byte[]>(KeysInOne);
        while (await reader.WaitToReadAsync())
        {
            keys.Clear();
            while (keys.Count < KeysInOne && reader.TryRead(out var key))
            {
                keys.Add(key);
            }

            try
            {
                if (await _origin.TouchAsync(keys, _atMost))
                {
                    Interlocked.Add(ref _metrics.Touches, keys.Count);
                }
                else
                {
                    Interlocked.Add(ref _metrics.TouchesDropped, keys.Count);
                }
            }
            catch (Exception failure) when (RedisErrors.IsFailure(failure))
            {
                Interlocked.Add(ref _metrics.TouchesDropped, keys.Count);
                if (failure is RedisServerException && !_refused)
                {
                    _refused = true;
                    LogRefused();
                }
            }
        }
    }

    [LoggerMessage(EventId = 106, Level = LogLevel.Warning, Message = "Redis refuses TOUCH, which TOUCH_SAMPLE asks for; allow it, or set TOUCH_SAMPLE=0")]
    private partial void LogRefused();
}
