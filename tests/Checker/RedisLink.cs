using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RpOrleans.Checker;

/// <summary>A connection to Redis that is made when it is needed, and made again after it broke. One command at a time.</summary>
internal sealed class RedisLink(int port) : IDisposable
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
        using var patience = new CancellationTokenSource(_patience);
        try
        {
            if (_client is null)
            {
                _client = new TcpClient { NoDelay = true };
                await _client.ConnectAsync(IPAddress.Loopback, port, patience.Token);
                _reader = new StreamReader(_client.GetStream(), Encoding.Latin1);
            }

            var command = $"*{words.Length}\r\n" + string.Concat(words.Select(word => $"${word.Length}\r\n{word}\r\n"));
            await _client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(command), patience.Token);
            var line = await _reader!.ReadLineAsync(patience.Token) ?? throw new EndOfStreamException("Redis closed the connection.");
            if (line[0] != '$')
            {
                return line[0] == '-' ? throw new IOException(line) : line;
            }

            var length = int.Parse(line.AsSpan(1), CultureInfo.InvariantCulture);
            if (length < 0)
            {
                return null;
            }

            var text = new char[length + 2];
            var read = await _reader.ReadBlockAsync(text, patience.Token);
            return read == text.Length ? new string(text, 0, length) : throw new EndOfStreamException("Redis closed the connection.");
        }
        catch (Exception failure) when (failure is IOException or SocketException or OperationCanceledException)
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
}
