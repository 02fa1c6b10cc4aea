using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RpOrleans.Checker;

/// <summary>A connection to Redis, or to a gateway in its place, that is made when it is needed, and made again after it broke. One caller at a time.</summary>
/// <param name="port">Where.</param>
/// <param name="protocol">Which version of the protocol is spoken: 2 or 3.</param>
internal sealed class RedisLink(int port, int protocol = 2) : IDisposable
{
    /// <summary>Longer than any fault: what is sent to a hung Redis is answered when it wakes.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(6);

    private TcpClient? _client;
    private StreamReader? _reader;

    /// <summary>Sends a command.</summary>
    /// <returns>The reply; <see langword="null"/> for nil.</returns>
    /// <exception cref="IOException">There was none, or it is an error: whether the command took effect is not known.</exception>
    public async Task<string?> CommandAsync(params string[] words)
    {
        var reply = (await AskAsync(words))[0];
        return reply.IsError ? throw new IOException(reply.Text) : reply.IsNil ? null : reply.Text;
    }

    /// <summary>Sends commands together.</summary>
    /// <returns>Their replies.</returns>
    /// <exception cref="IOException">Not every one was answered: whether they took effect is not known.</exception>
    public async Task<Reply[]> AskAsync(params string[][] commands)
    {
        using var patience = new CancellationTokenSource(_patience);
        try
        {
            if (_client is null)
            {
                _client = new TcpClient { NoDelay = true };
                await _client.ConnectAsync(IPAddress.Loopback, port, patience.Token);
                _reader = new StreamReader(_client.GetStream(), Encoding.Latin1);
                if (protocol != 2)
                {
                    await SendAsync([["HELLO", protocol.ToString(CultureInfo.InvariantCulture)]], patience.Token);
                }
            }

            return await SendAsync(commands, patience.Token);
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or SocketException or OperationCanceledException)
        {
            Dispose();
            throw failure as IOException ?? new IOException(failure.Message, failure);
        }
    }

    public void Dispose()
    {
        _client?.Dispose();
        (_client, _reader) = (null, null);
    }

    private async Task<Reply[]> SendAsync(string[][] commands, CancellationToken cancellation)
    {
        var bytes = string.Concat(commands.Select(words => $"*{words.Length}\r\n" + string.Concat(words.Select(word => $"${word.Length}\r\n{word}\r\n"))));
        await _client!.GetStream().WriteAsync(Encoding.Latin1.GetBytes(bytes), cancellation);
        var replies = new Reply[commands.Length];
        for (var i = 0; i < replies.Length; i++)
        {
            replies[i] = await Reply.ReadAsync(_reader!, cancellation);
        }

        return replies;
    }
}
