using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RpOrleans.Coherence;

/// <summary>Writes values straight to Redis over one connection; blocks the thread, so that an acknowledgement is noticed when it is there.</summary>
internal sealed class RedisWriter : IDisposable
{
    private static readonly byte[] _acknowledgement = "+OK\r\n"u8.ToArray();
    private static readonly byte[] _command = Encoding.ASCII.GetBytes(
        $"*3\r\n$3\r\nSET\r\n${Values.KeyLength}\r\n{new string('k', Values.KeyLength)}\r\n${Values.Length}\r\n{new string('.', Values.Length)}\r\n");

    private static readonly int _keyAt = _command.AsSpan().IndexOf((byte)'k');
    private static readonly int _valueAt = _command.AsSpan().IndexOf((byte)'.');

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    /// <param name="port">Where Redis listens, on loopback.</param>
    public RedisWriter(int port) => _socket.Connect(IPAddress.Loopback, port);

    /// <summary>Gives the first keys their first version.</summary>
    public void Fill(int keys)
    {
        const int AtOnce = 10_000;
        for (var first = 0; first < keys; first += AtOnce)
        {
            Set([.. Enumerable.Range(first, Math.Min(AtOnce, keys - first)).Select(key => (key, 0))]);
        }
    }

    /// <summary>Writes all at once; returns when Redis has acknowledged every one.</summary>
    public void Set(params ReadOnlySpan<(int Key, int Version)> writes)
    {
        var commands = new byte[writes.Length * _command.Length];
        for (var i = 0; i < writes.Length; i++)
        {
            var command = commands.AsSpan(i * _command.Length, _command.Length);
            _command.CopyTo(command);
            Values.WriteKey(command[_keyAt..], writes[i].Key);
            Values.WriteValue(command[_valueAt..], writes[i].Key, writes[i].Version);
        }

        _socket.Send(commands);
        var replies = new byte[writes.Length * _acknowledgement.Length];
        for (var received = 0; received < replies.Length;)
        {
            var count = _socket.Receive(replies.AsSpan(received));
            received += count > 0 ? count : throw new EndOfStreamException("Redis closed a connection.");
        }

        if (replies.AsSpan().Count(_acknowledgement) != writes.Length)
        {
            throw new IOException("Redis did not acknowledge a write.");
        }
    }

    public void Dispose() => _socket.Dispose();
}
