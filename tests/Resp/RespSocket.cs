using System.Net.Sockets;
using System.Text;

namespace RpOrleans.Tests.Resp;

/// <summary>A client that sends bytes and sees bytes; a byte a character.</summary>
internal sealed class RespSocket : IDisposable
{
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
                return received + "<nothing more>";
            }
            catch (SocketException)
            {
                return received + "<reset>";
            }
        }

        return received.ToString();
    }

    /// <summary>Receives what comes until the connection is closed.</summary>
    public Task<string> ReceiveAllAsync() => ReceiveAsync(int.MaxValue);

    public void Dispose() => _socket.Dispose();
}
