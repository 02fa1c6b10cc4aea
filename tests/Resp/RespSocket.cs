using System.Buffers;
using System.Net.Sockets;
using System.Text;
using RpOrleans.Gateway.Resp.Upstream;

namespace RpOrleans.Tests.Resp;

/// <summary>A client that sends bytes and sees bytes; a byte a character.</summary>
internal sealed class RespSocket : IDisposable
{
    private const string Nothing = "<nothing more>";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[64 * 1024];

    private RespSocket(Socket socket) => _socket = socket;

    public static async Task<RespSocket> ConnectAsync(int port)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", port);
        return new RespSocket(socket);
    }

    /// <summary>A command, as clients send it.</summary>
    public static string Command(params string[] words) => $"*{words.Length}\r\n" + string.Concat(words.Select(word => $"${word.Length}\r\n{word}\r\n"));

    public async Task SendAsync(string bytes) => await _socket.SendAsync(Encoding.Latin1.GetBytes(bytes));

    /// <summary>Sends a command, and receives as many bytes as are expected.</summary>
    public async Task<string> AskAsync(string expected, params string[] words)
    {
        await SendAsync(Command(words));
        return await ReceiveAsync(expected.Length);
    }

    /// <summary>Receives so many bytes; fewer if the connection is closed.</summary>
    public async Task<string> ReceiveAsync(int length)
    {
        var received = new StringBuilder();
        using var patience = new CancellationTokenSource(_patience);
        while (received.Length < length)
        {
            try
            {
                var read = await _socket.ReceiveAsync(_buffer.AsMemory(0, Math.Min(_buffer.Length, length - received.Length)), patience.Token);
                if (read == 0)
                {
                    return received + "<closed>";
                }

                received.Append(Encoding.Latin1.GetString(_buffer, 0, read));
            }
            catch (OperationCanceledException)
            {
                return received + Nothing;
            }
            catch (SocketException)
            {
                return received + "<reset>";
            }
        }

        return received.ToString();
    }

    /// <summary>Receives what comes until it ends with this, or the connection is closed.</summary>
    public async Task<string> ReceiveUntilAsync(string end, TimeSpan? silentAtMost = null)
    {
        var received = new StringBuilder();
        while (!EndsWith(received, end))
        {
            if (await ReceiveSomeAsync(received, silentAtMost ?? _patience) is { } over)
            {
                return received + over;
            }
        }

        return received.ToString();
    }

    /// <summary>Receives what comes until the connection is closed.</summary>
    public Task<string> ReceiveAllAsync() => ReceiveAsync(int.MaxValue);

    /// <summary>Sends a command, and receives its whole reply.</summary>
    public async Task<ReplyValue> ReplyAsync(params string[] words)
    {
        await SendAsync(Command(words));
        var reply = new ArrayBufferWriter<byte>();
        var scanner = default(ReplyScanner);
        scanner.Begin();
        using var patience = new CancellationTokenSource(_patience);
        while (true)
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(), patience.Token);
            Assert.NotEqual(0, read);
            reply.Write(_buffer.AsSpan(0, scanner.Scan(_buffer.AsSpan(0, read), out var ended)));
            if (ended)
            {
                return ReplyValue.Parse(reply.WrittenSpan);
            }
        }
    }

    /// <summary>Ends what is sent; what is received goes on.</summary>
    public void EndSending() => _socket.Shutdown(SocketShutdown.Send);

    public void Dispose() => _socket.Dispose();

    private static bool EndsWith(StringBuilder text, string end)
    {
        for (var i = 1; i <= end.Length; i++)
        {
            if (i > text.Length || text[^i] != end[^i])
            {
                return false;
            }
        }

        return true;
    }

    private async Task<string?> ReceiveSomeAsync(StringBuilder received, TimeSpan within)
    {
        using var patience = new CancellationTokenSource(within);
        try
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(), patience.Token);
            received.Append(Encoding.Latin1.GetString(_buffer, 0, read));
            return read == 0 ? "<closed>" : null;
        }
        catch (OperationCanceledException)
        {
            return Nothing;
        }
        catch (SocketException)
        {
            return "<reset>";
        }
    }
}
