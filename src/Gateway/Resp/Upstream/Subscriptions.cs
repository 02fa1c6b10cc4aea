using System.Buffers;
using System.Text;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Gateway.Resp.Upstream;

// What Redis publishes comes at any time; what it answers to (P|S)(UN)SUBSCRIBE are as many messages as channels. So each
// such command is followed by a PING with a word of our own: when that comes back, all that belongs to the command has come.

/// <summary>A connection to Redis for what one client has subscribed to.</summary>
internal sealed class Subscriptions : IDisposable
{
    /// <summary>Redis's <c>client-output-buffer-limit</c> for subscribers: so much at once, or more than the lesser for so long.</summary>
    private const long HardLimit = 32 * 1024 * 1024;
    private const long SoftLimit = 8 * 1024 * 1024;
    private static readonly TimeSpan _softPatience = TimeSpan.FromSeconds(60);

    private static readonly byte[] _mark = Encoding.ASCII.GetBytes($"rporleans:{Guid.NewGuid():N}");
    private static readonly byte[] _ping = [.. "*2\r\n$4\r\nPING\r\n"u8, .. Encoding.ASCII.GetBytes($"${_mark.Length}\r\n"), .. _mark, .. "\r\n"u8];

    private readonly UpstreamConnection _connection;
    private readonly Action _wake;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly Queue<byte[]> _messages = new();
    private TaskCompletionSource? _marked;
    private long _bytes;
    private long _aboveSoftSince;
    private int _channels;
    private int _shardChannels;

    /// <param name="connection">The connection.</param>
    /// <param name="wake">Called when there is something to take.</param>
    /// <param name="time">The clock.</param>
    public Subscriptions(UpstreamConnection connection, Action wake, TimeProvider time)
    {
        (_connection, _wake, _time, Protocol) = (connection, wake, time, connection.Protocol);
        _ = Task.Run(ReceiveAsync);
    }

    /// <summary>By which version; with 2, Redis refuses all other commands.</summary>
    public int Protocol { get; private set; }

    /// <summary>Whether there are any.</summary>
    public bool Any => Volatile.Read(ref _channels) + Volatile.Read(ref _shardChannels) > 0;

    /// <summary>Whether the connection is lost, or the client does not take what comes.</summary>
    public bool Ended { get; private set; }

    /// <summary>Has Redis carry out a command; comes back when all that it says to it is there to be taken.</summary>
    /// <exception cref="OriginException">The connection is lost.</exception>
    public async Task SendAsync(ReadOnlyMemory<byte> command)
    {
        var marked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (Ended)
            {
                throw new OriginException(OriginFault.Unreachable, outcomeUnknown: true);
            }

            _marked = marked;
        }

        await _connection.SendAsync(command).ConfigureAwait(false);
        await _connection.SendAsync(_ping).ConfigureAwait(false);
        await marked.Task.ConfigureAwait(false);
    }

    /// <summary>Whether it is sent even to a client that wants no replies: all but answers to <c>PING</c>, and errors.</summary>
    public static bool IsPushed(ReadOnlySpan<byte> message) => message[0] == '>' || message.StartsWith("*3"u8) || message.StartsWith("*4"u8);

    /// <summary>From now on what comes is to be in this version of the protocol; the reply is not for the client.</summary>
    /// <exception cref="OriginException">The connection is lost.</exception>
    public async Task SpeakAsync(int protocol)
    {
        await SendAsync(Encoding.ASCII.GetBytes($"*2\r\n$5\r\nHELLO\r\n$1\r\n{protocol}\r\n")).ConfigureAwait(false);
        Protocol = protocol;
    }

    /// <summary>Takes the next message, or the next reply.</summary>
    public byte[]? Take()
    {
        lock (_lock)
        {
            if (!_messages.TryDequeue(out var message))
            {
                return null;
            }

            _bytes -= message.Length;
            return message;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            Ended = true;
        }

        _connection.Dispose();
    }

    private async Task ReceiveAsync()
    {
        var bytes = new ArrayBufferWriter<byte>();
        try
        {
            while (true)
            {
                bytes.ResetWrittenCount();
                await _connection.NextReplyAsync().ConfigureAwait(false);
                await _connection.MoveReplyAsync(bytes, static () => ValueTask.CompletedTask).ConfigureAwait(false);
                if (!Receive(bytes.WrittenSpan))
                {
                    break;
                }
            }
        }
        catch (OriginException)
        {
            // It is over; the client is told by the end of its own connection, and subscribes again over the next.
        }

        lock (_lock)
        {
            Ended = true;
            _marked?.TrySetException(new OriginException(OriginFault.Unreachable, outcomeUnknown: true));
        }

        _wake();
    }

    /// <summary>Keeps a message until it is taken.</summary>
    /// <returns>Whether there is room for it.</returns>
    private bool Receive(ReadOnlySpan<byte> message)
    {
        if (message.Length < _mark.Length + 64 && message.IndexOf(_mark) >= 0)
        {
            lock (_lock)
            {
                _marked?.TrySetResult();
                _marked = null;
            }

            return true;
        }

        if (message[0] == '%' || message.StartsWith("*14"u8))
        {
            return true; // to our own HELLO
        }

        Count(message);
        lock (_lock)
        {
            _messages.Enqueue(message.ToArray());
            _bytes += message.Length;
            var now = _time.GetTimestamp();
            _aboveSoftSince = _bytes <= SoftLimit ? 0 : _aboveSoftSince == 0 ? now : _aboveSoftSince;
            if (_bytes > HardLimit || (_aboveSoftSince != 0 && _time.GetElapsedTime(_aboveSoftSince, now) > _softPatience))
            {
                return false;
            }
        }

        _wake();
        return true;
    }

    /// <summary>Redis says with each confirmation how many there are now.</summary>
    private void Count(ReadOnlySpan<byte> message)
    {
        if (message[0] is not ((byte)'*' or (byte)'>') || message.IndexOf((byte)'\n') is not (>= 0 and var head) || !message[..head].StartsWith(message[0] == '*' ? "*3"u8 : ">3"u8))
        {
            return;
        }

        var kind = message[(head + 1)..];
        kind = kind[(kind.IndexOf((byte)'\n') + 1)..];
        kind = kind[..kind.IndexOf((byte)'\r')];
        if (!kind.EndsWith("subscribe"u8) || message[^2] != '\r')
        {
            return;
        }

        var number = message[(message.LastIndexOf((byte)':') + 1)..^2];
        if (Digits.TryParse(number, out var count))
        {
            Volatile.Write(ref kind[0] == 's' && (kind[1] == 's' || kind.SequenceEqual("sunsubscribe"u8)) ? ref _shardChannels : ref _channels, (int)count);
        }
    }
}
