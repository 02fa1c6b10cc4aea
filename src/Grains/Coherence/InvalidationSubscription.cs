using System.Net;
using System.Net.Sockets;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Settings;
using StackExchange.Redis;

namespace RpOrleans.Grains.Coherence;

/// <summary>The connection over which Redis tells of changes. It has a client of its own, so that its failures are not taken for the other's.</summary>
// The library hands messages to the thread pool, in no order. What keeps it: they are put into a queue as they arrive; whoever
// comes first empties it under one lock, and a heartbeat's PONG counts only after the queue was emptied once more.
internal sealed class InvalidationSubscription : IAsyncDisposable
{
    /// <summary>The channel over which Redis sends what <c>CLIENT TRACKING … REDIRECT</c> finds (redis.io, "Client-side caching").</summary>
    private static readonly RedisChannel _channel = RedisChannel.Literal("__redis__:invalidate");

    private readonly CancellationTokenSource _stopping = new();
    private readonly RedisOptions _options;
    private readonly EndPoint _endPoint;
    private readonly SocketGate _gate;
    private readonly Action<byte[]?> _invalidate;
    private readonly Lock _draining = new();
    private readonly Task _connecting;
    private long _sockets;
    private volatile Socket? _socket;
    private volatile Socket? _otherSocket; // the library has one for commands too
    private ConnectionMultiplexer? _multiplexer;
    private volatile ISubscriber? _subscriber;
    private volatile ChannelMessageQueue? _messages;

    /// <param name="options">How Redis is reached.</param>
    /// <param name="address">Where it is.</param>
    /// <param name="invalidate">Told of each key that has changed, in the order of arrival; of <see langword="null"/> when all have.</param>
    public InvalidationSubscription(RedisOptions options, RedisAddress address, Action<byte[]?> invalidate)
    {
        (_options, _invalidate, _endPoint) = (options, invalidate, RedisClient.EndPointOf(options));
        _gate = new SocketGate(options, address, _endPoint, TimeProvider.System, OnSocket);
        _connecting = Task.Run(ConnectAsync);
    }

    /// <summary>The name under which Redis shows the connection; no other has it.</summary>
    public string Name { get; } = $"rporleans-invalidations-{Guid.NewGuid():N}";

    /// <summary>Goes up before each socket connects: what Redis would have sent over the one before is lost.</summary>
    public long Epoch => Interlocked.Read(ref _sockets);

    /// <summary>Whether messages arrive, as far as the library knows.</summary>
    public bool Subscribed => _messages is not null && _subscriber!.IsConnected(_channel);

    /// <summary>Subscribes, if that has not been done; afterwards the library does it by itself.</summary>
    /// <exception cref="RedisException">It did not succeed.</exception>
    public async Task SubscribeAsync()
    {
        if (_messages is not null || _subscriber is not { } subscriber)
        {
            return;
        }

        var messages = await subscriber.SubscribeAsync(_channel);
        await subscriber.SubscribeAsync(_channel, (_, _) => Drain()); // only to be woken
        _messages = messages;
    }

    /// <summary>Asks for a sign of life over this very connection; what Redis said before it has been acted on when this returns.</summary>
    /// <param name="atMost">How long it is waited for.</param>
    /// <exception cref="TimeoutException">None came.</exception>
    /// <exception cref="RedisException">The connection is lost.</exception>
    public async Task PingAsync(TimeSpan atMost)
    {
        await _subscriber!.PingAsync().WaitAsync(atMost);
        Drain();
    }

    /// <summary>Closes a connection that is silent; the library makes another.</summary>
    /// <param name="epoch">The <see cref="Epoch"/> in which it was: another that is in its place by now is not to pay for it.</param>
    public void Replace(long epoch)
    {
        if (_socket is { } socket && epoch == Epoch)
        {
            socket.Dispose();
        }
    }

    /// <summary>Closes what goes to a server that is not the master any more.</summary>
    public void Follow()
    {
        if (_gate.IsElsewhere(ConnectionType.Interactive))
        {
            _otherSocket?.Dispose();
        }

        if (_gate.IsElsewhere(ConnectionType.Subscription))
        {
            _socket?.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _connecting;
        await RedisClient.EndAsync(_multiplexer);
        _stopping.Dispose();
    }

    private void Drain()
    {
        lock (_draining)
        {
            while (_messages is { } messages && messages.TryRead(out var message))
            {
                _invalidate(message.Message.IsNull ? null : (byte[]?)message.Message);
            }
        }
    }

    private async Task ConnectAsync()
    {
        _multiplexer = await RedisClient.ConnectAsync(
            () => RedisClient.Configure(_options, _endPoint, Name, subscribes: true, _gate, logs: null), TimeProvider.System, _stopping.Token);
        _subscriber = _multiplexer?.GetSubscriber();
    }

    private void OnSocket(Socket? socket, ConnectionType type)
    {
        if (type == ConnectionType.Subscription)
        {
            _socket = null; // no epoch ever goes with the socket of another
            Interlocked.Increment(ref _sockets);
            _socket = socket;
        }
        else
        {
            _otherSocket = socket;
        }
    }
}
