using System.Net;
using System.Net.Sockets;

namespace RpOrleans.Load;

/// <summary>One connection to a server, and the request that is under way on it.</summary>
internal sealed class Connection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly HttpAnswer _answer = new();

    /// <summary>Connects.</summary>
    /// <param name="port">Where the server listens, on loopback.</param>
    /// <param name="batch">Keys of the largest request.</param>
    public Connection(int port, int batch)
    {
        _socket.Connect(IPAddress.Loopback, port);
        _socket.Blocking = false;
        (Keys, Floors) = (new int[batch], new long[batch]);
    }

    /// <summary>The request's bytes; made anew in the same place each time.</summary>
    public byte[] Request = new byte[256];

    public nint Handle => _socket.Handle;

    /// <summary>What is asked for.</summary>
    public int[] Keys { get; }

    /// <summary>Of each key the version that had been acknowledged when it was asked for.</summary>
    public long[] Floors { get; }

    /// <summary>How many keys the request names; 0: it is a write, of the first key.</summary>
    public int Reads { get; set; }

    /// <summary>What a write writes.</summary>
    public long Version { get; set; }

    /// <summary>From when on the answer's delay counts, as a timestamp.</summary>
    public long Since { get; set; }

    /// <summary>The answer, once <see cref="TryReceive"/> says that it is there.</summary>
    public HttpAnswer Answer => _answer;

    /// <summary>Sends what <see cref="Request"/> begins with.</summary>
    public void Send(int length)
    {
        _answer.Clear();
        for (var sent = 0; ;)
        {
            sent += _socket.Send(Request.AsSpan(sent, length - sent), SocketFlags.None, out var error);
            if (sent == length)
            {
                return;
            }

            if (error is not (SocketError.Success or SocketError.WouldBlock))
            {
                throw new WrongAnswerException($"A request could not be sent: {error}.");
            }

            _socket.Poll(1_000_000, SelectMode.SelectWrite);
        }
    }

    /// <summary>Receives what is there.</summary>
    /// <returns>Whether the answer is there as a whole.</returns>
    public bool TryReceive()
    {
        while (true)
        {
            var room = _answer.Room();
            var count = _socket.Receive(room, SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                return false;
            }

            if (count <= 0)
            {
                throw new WrongAnswerException($"The server closed a connection ({error}).");
            }

            if (_answer.Take(count))
            {
                return true;
            }

            if (count < room.Length)
            {
                return false; // the rest is announced when it comes
            }
        }
    }

    public void Dispose() => _socket.Dispose();
}
