using System.Collections.Concurrent;

namespace RpOrleans.Gateway.Resp.Upstream;

// A script that takes long makes Redis refuse everything but its end, and clients find out by a PING. Only then is Redis
// asked for it: otherwise PING is answered here, and says that reads are answered, whatever has become of Redis.

/// <summary>The scripts, and the transactions, which may contain some, that clients wait for.</summary>
internal sealed class RunningScripts(TimeProvider time)
{
    /// <summary>One that takes less does not matter.</summary>
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(0.1);

    /// <summary>Of one that takes more nobody knows whether Redis is there at all.</summary>
    private static readonly TimeSpan _tooLong = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<RespClient, long> _begun = new();
    private int _count; // of them: looked at with each PING

    /// <summary>Whether Redis may refuse what others ask.</summary>
    public bool TakeLong =>
        Volatile.Read(ref _count) > 0
        && _begun.Values.Any(begun => time.GetElapsedTime(begun) is var since && since > _long && since < _tooLong);

    /// <summary>A client has sent one.</summary>
    public void Begin(RespClient client)
    {
        if (_begun.TryAdd(client, time.GetTimestamp()))
        {
            Interlocked.Increment(ref _count);
        }
    }

    /// <summary>It has been answered, or will not be.</summary>
    public void End(RespClient client)
    {
        if (_begun.TryRemove(client, out _))
        {
            Interlocked.Decrement(ref _count);
        }
    }
}
