using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace RpOrleans.Tests.Support;

/// <summary>What a proxy does to what passes through it.</summary>
internal enum ProxyFault
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Passes everything on late.</summary>
    Delay,

    /// <summary>Passes on one byte at a time.</summary>
    Trickle,

    /// <summary>Accepts everything and passes on nothing.</summary>
    BlackHole,

    /// <summary>The same for what the client sends; answers come through.</summary>
    BlackHoleToServer,

    /// <summary>The same for what the server sends; requests come through.</summary>
    BlackHoleToClient,

    /// <summary>Resets each new connection at once; those that are open stay.</summary>
    Refuse,
}

/// <summary>Which connections a fault is for.</summary>
internal enum ProxiedConnections
{
    All,

    /// <summary>Those that no SUBSCRIBE went through.</summary>
    Data,

    /// <summary>Those that a SUBSCRIBE went through: what Redis says of changes comes over them.</summary>
    Invalidation,
}

// A black hole keeps what it swallows and passes it on once it is healed, as TCP does after a cable was out for a while: so a
// command can reach Redis long after its sender gave it up, even when that has closed the connection meanwhile.

/// <summary>Stands between a client and a server on this machine, and does to their connections what networks do.</summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private static readonly byte[] _subscribe = [.. "\nSUBSCRIBE\r"u8];

    private readonly int _target;
    private readonly int _seed;
    private readonly IPAddress _from;
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Connection, Task> _open = [];
    private readonly Task _accepting;
    private Weather _weather = new(ProxyFault.None, TimeSpan.Zero, ProxiedConnections.All);
    private int _accepted;

    /// <param name="target">The server's port.</param>
    /// <param name="seed">What chance depends on.</param>
    /// <param name="from">The address from which it connects to the server; any by default.</param>
    public FaultProxy(int target, int seed, IPAddress? from = null)
    {
        (_target, _seed, _from) = (target, seed, from ?? IPAddress.Any);
        _listener = new TcpListener(IPAddress.Loopback, 0);
        _listener.Start(512);
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Begins a fault in place of the one before.</summary>
    /// <param name="fault">What it does.</param>
    /// <param name="pace">How late, give or take a half, or how long after each byte.</param>
    /// <param name="connections">Whom it is done to; all for <see cref="ProxyFault.Refuse"/>, whose connections have no history.</param>
    public void Set(ProxyFault fault, TimeSpan pace = default, ProxiedConnections connections = ProxiedConnections.All) =>
        Interlocked.Exchange(ref _weather, new Weather(fault, pace, connections)).Over();

    /// <summary>Ends the fault.</summary>
    public void Heal() => Set(ProxyFault.None);

    /// <summary>Resets connections (RST), both ways.</summary>
    public void Reset(ProxiedConnections connections = ProxiedConnections.All)
    {
        foreach (var connection in _open.Keys.Where(connection => connection.IsOneOf(connections)))
        {
            connection.Reset();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        Heal();
        Reset();
        await _accepting;
        await Task.WhenAll(_open.Values);
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptSocketAsync(_stopping.Token);
            }
            catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            var connection = new Connection(client, new Random((_seed * 1_000_003) + _accepted++));
            if (_weather.Fault == ProxyFault.Refuse)
            {
                connection.Reset();
                continue;
            }

            // Nothing is served before it is among those that can be reset.
            var begin = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _open[connection] = ServeAsync(connection, begin.Task);
            begin.SetResult();
        }
    }

    private async Task ServeAsync(Connection connection, Task begin)
    {
        await begin;
        try
        {
            connection.Server.Bind(new IPEndPoint(_from, 0));
            await connection.Server.ConnectAsync(IPAddress.Loopback, _target, _stopping.Token);
            await Task.WhenAll(PumpAsync(connection, toServer: true), PumpAsync(connection, toServer: false));
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The server cannot be reached: the client is told in the only way there is.
        }
        finally
        {
            connection.Reset();
            _open.TryRemove(connection, out _);
        }
    }

    private async Task PumpAsync(Connection connection, bool toServer)
    {
        var (from, to) = toServer ? (connection.Client, connection.Server) : (connection.Server, connection.Client);
        var buffer = new byte[16 * 1024];
        var matched = 0;
        try
        {
            while (await from.ReceiveAsync(buffer, _stopping.Token) is > 0 and var read)
            {
                if (toServer && !connection.Subscribed)
                {
                    connection.Subscribed = Contains(buffer.AsSpan(0, read), ref matched);
                }

                await ForwardAsync(connection, buffer.AsMemory(0, read), to, toServer);
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            connection.Reset(); // the other direction has nobody left
        }
    }

    private async Task ForwardAsync(Connection connection, ReadOnlyMemory<byte> rest, Socket to, bool toServer)
    {
        var delayed = false;
        while (!rest.IsEmpty)
        {
            var weather = Volatile.Read(ref _weather);
            switch (connection.IsOneOf(weather.Connections) ? weather.Fault : ProxyFault.None)
            {
                case ProxyFault.Delay when !delayed:
                    delayed = true;
                    await weather.LastsAsync(weather.Pace * (0.5 + connection.Chance(toServer)), _stopping.Token);
                    break;
                case ProxyFault.Trickle:
                    await to.SendAsync(rest[..1], _stopping.Token);
                    rest = rest[1..];
                    await weather.LastsAsync(weather.Pace, _stopping.Token);
                    break;
                case ProxyFault.BlackHole:
                case ProxyFault.BlackHoleToServer when toServer:
                case ProxyFault.BlackHoleToClient when !toServer:
                    await weather.LastsAsync(Timeout.InfiniteTimeSpan, _stopping.Token);
                    break;
                default:
                    await to.SendAsync(rest, _stopping.Token);
                    return;
            }
        }
    }

    /// <summary>Looks for a SUBSCRIBE, which may come in pieces.</summary>
    private static bool Contains(ReadOnlySpan<byte> bytes, ref int matched)
    {
        foreach (var one in bytes)
        {
            var upper = one is >= (byte)'a' and <= (byte)'z' ? (byte)(one - 32) : one;
            matched = upper == _subscribe[matched] ? matched + 1 : upper == _subscribe[0] ? 1 : 0;
            if (matched == _subscribe.Length)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>A fault, and the end of it.</summary>
    private sealed record Weather(ProxyFault Fault, TimeSpan Pace, ProxiedConnections Connections)
    {
        private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Over() => _over.TrySetResult();

        /// <summary>Waits for so long, or until the fault is over.</summary>
        public async Task LastsAsync(TimeSpan atMost, CancellationToken cancellation)
        {
            await _over.Task.WaitAsync(atMost, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private sealed class Connection
    {
        private readonly Random[] _random;

        public Connection(Socket client, Random random)
        {
            Client = client;
            Client.NoDelay = true;
            _random = [new Random(random.Next()), new Random(random.Next())];
        }

        public Socket Client { get; }

        public Socket Server { get; } = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

        public volatile bool Subscribed;

        public double Chance(bool toServer) => _random[toServer ? 0 : 1].NextDouble();

        public bool IsOneOf(ProxiedConnections connections) => connections switch
        {
            ProxiedConnections.All => true,
            ProxiedConnections.Invalidation => Subscribed,
            ProxiedConnections.Data => !Subscribed,
            _ => throw new UnreachableException($"Unknown connections {connections}."),
        };

        public void Reset()
        {
            foreach (var socket in new[] { Client, Server })
            {
                try
                {
                    socket.LingerState = new LingerOption(true, 0);
                }
                catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
                {
                    // There is nobody to tell.
                }

                socket.Dispose();
            }
        }
    }
}
