using System.Net;
using System.Net.Sockets;
using RpOrleans.Grains.Settings;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace RpOrleans.Grains.Origin;

/// <summary>Passed by each socket of the library before it connects: only to the server that is cached, and not too often. Where that is set, TLS begins here.</summary>
/// <param name="options">Whether over TLS.</param>
/// <param name="address">Where Redis is now.</param>
/// <param name="allowed">What the library calls it; any other it has from what a server said.</param>
/// <param name="time">The clock.</param>
/// <param name="onSocket">Told of each socket before it connects: whatever rested on the one before ends here.</param>
internal sealed class SocketGate(RedisOptions options, RedisAddress address, EndPoint allowed, TimeProvider time, Action<Socket?, ConnectionType> onSocket) : Tunnel
{
    /// <summary>
    /// The least time between a connect and the one after the next, of one kind: four a second, but a second try at once, since
    /// the first after a loss may be closed with the connection that was lost.
    /// </summary>
    private static readonly TimeSpan _twoIn = TimeSpan.FromMilliseconds(500);

    /// <summary>Refuses each connection at once.</summary>
    private static readonly IPEndPoint _nowhere = new(IPAddress.Loopback, 0);

    private volatile bool _hasTls;
    private int _handshakes;

    private readonly Lock _lock = new();
    private readonly AsyncLocal<Server?> _goesTo = new();
    private readonly Dictionary<ConnectionType, Server?> _wentTo = [];
    private readonly Dictionary<ConnectionType, (long? Last, long? BeforeLast)> _connects = [];

    /// <summary>Whether TLS has begun, and has not been answered yet.</summary>
    public bool IsInHandshake => Volatile.Read(ref _handshakes) > 0;

    /// <summary>Whether the last connection of this kind went to another server than the one that is the master by now.</summary>
    public bool IsElsewhere(ConnectionType type)
    {
        lock (_lock) return _wentTo.TryGetValue(type, out var server) && server != address.Current;
    }

    // Not async: what it sets is seen by the connect that it is called by, and by no other.
    public override ValueTask<EndPoint?> GetSocketConnectEndpointAsync(EndPoint endpoint, CancellationToken cancellationToken)
    {
        _goesTo.Value = address.Current;
        return new(_goesTo.Value is { } server ? RedisClient.EndPointOf(server) : _nowhere);
    }

    public override async ValueTask BeforeSocketConnectAsync(EndPoint endPoint, ConnectionType connectionType, Socket? socket, CancellationToken cancellationToken)
    {
        if (!endPoint.Equals(allowed))
        {
            throw new SocketException((int)SocketError.AccessDenied);
        }

        lock (_lock) _wentTo[connectionType] = _goesTo.Value;
        var wait = Reserve(connectionType);
        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, time, CancellationToken.None);
            _ = socket?.LocalEndPoint; // throws if the library has given it up meanwhile, and has the next one wait
        }

        onSocket(socket, connectionType);
    }

    public override async ValueTask<Stream?> BeforeAuthenticateAsync(EndPoint endpoint, ConnectionType connectionType, Socket? socket, CancellationToken cancellationToken)
    {
        if (!options.UsesTls)
        {
            return null; // the socket as it is
        }

        var connection = new NetworkStream(socket ?? throw new IOException("The socket was closed."), ownsSocket: true);
        Interlocked.Increment(ref _handshakes);
        try
        {
            var tls = await RedisTls.AuthenticateAsync(connection, _goesTo.Value!.Host, options, RedisClient.ConnectTimeout);
            _hasTls = true;
            return tls;
        }
        catch (OriginException failure) when (failure.Fault == OriginFault.TimedOut && !_hasTls)
        {
            // A Redis without TLS waits for the end of what it takes for a command.
            throw new OriginException(OriginFault.Untrusted, inner: new TimeoutException("the TLS handshake is not answered: there is no TLS on this port, or Redis hangs", failure));
        }
        finally
        {
            Interlocked.Decrement(ref _handshakes);
        }
    }

    private TimeSpan Reserve(ConnectionType type)
    {
        lock (_lock)
        {
            var (last, beforeLast) = _connects.GetValueOrDefault(type);
            var wait = beforeLast is { } before ? _twoIn - time.GetElapsedTime(before) : TimeSpan.Zero;
            if (wait < TimeSpan.Zero) wait = TimeSpan.Zero;
            _connects[type] = (time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency), last);
            return wait;
        }
    }
}
