using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace RpOrleans.Coherence;

/// <summary>A status, and a body that is there until the connection is asked again.</summary>
internal readonly record struct Answer(int Status, ReadOnlyMemory<byte> Body);

/// <summary>One connection to a gateway, one request at a time.</summary>
// Not HttpClient, which takes five times the CPU: on a machine that is shared with what is measured, that would be measured too.
internal sealed class HttpConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _received = new byte[2_048];

    /// <param name="port">Where the gateway listens, on loopback.</param>
    public HttpConnection(int port) => _socket.Connect(IPAddress.Loopback, port);

    /// <summary>Asks, and blocks the thread until the answer is there: whoever has a thread for it notices it the sooner.</summary>
    public Answer Ask(ReadOnlySpan<byte> request)
    {
        _socket.Send(request);
        for (var length = 0; ;)
        {
            length += Some(_socket.Receive(Room(length).Span));
            if (TryParse(_received.AsMemory(0, length), out var answer))
            {
                return answer;
            }
        }
    }

    /// <summary>Asks.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Answer> AskAsync(ReadOnlyMemory<byte> request)
    {
        await _socket.SendAsync(request, SocketFlags.None);
        for (var length = 0; ;)
        {
            length += Some(await _socket.ReceiveAsync(Room(length), SocketFlags.None));
            if (TryParse(_received.AsMemory(0, length), out var answer))
            {
                return answer;
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private Memory<byte> Room(int used)
    {
        if (used == _received.Length)
        {
            Array.Resize(ref _received, 2 * used);
        }

        return _received.AsMemory(used);
    }

    private static int Some(int count) => count > 0 ? count : throw new EndOfStreamException("A gateway closed a connection.");

    /// <summary>Whether an answer has been received to its end.</summary>
    private static bool TryParse(ReadOnlyMemory<byte> received, out Answer answer)
    {
        answer = default;
        var headLength = received.Span.IndexOf("\r\n\r\n"u8);
        if (headLength < 0)
        {
            return false;
        }

        var head = received.Span[..headLength];
        var body = received[(headLength + 4)..];
        if (!Utf8Parser.TryParse(head[9..], out int status, out _))
        {
            throw new WrongAnswerException("An answer is not HTTP.");
        }

        answer = new Answer(status, body);
        var at = head.IndexOf("Content-Length: "u8);
        return at >= 0 ? Utf8Parser.TryParse(head[(at + 16)..], out int length, out _) && body.Length == length
            : status == 204 || body.Span.EndsWith("0\r\n\r\n"u8); // chunked are only errors, of which the status alone counts
    }
}
