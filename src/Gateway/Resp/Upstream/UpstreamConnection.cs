using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Resp.Upstream;

/// <summary>A connection to Redis over which clients' commands go as they came, and replies come back as they are.</summary>
internal sealed class UpstreamConnection : IDisposable
{
    private const int BufferBytes = 16 * 1024;

    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly byte[] _received = new byte[BufferBytes];
    private int _from;
    private int _to;
    private ReplyScanner _scanner;

    private UpstreamConnection(Socket socket, Stream stream, Server server) => (_socket, _stream, Server) = (socket, stream, server);

    /// <summary>Whom it leads to.</summary>
    public Server Server { get; }

    /// <summary>Which version of the protocol it speaks: 2 or 3.</summary>
    public int Protocol { get; private set; } = 2;

    /// <summary>The number by which Redis knows it; 0 for a Redis that does not say.</summary>
    public long Id { get; private set; }

    /// <summary>The version that Redis gives itself.</summary>
    public string? Version { get; private set; }

    /// <summary>The kind of the reply at hand: its first byte.</summary>
    public byte ReplyType => _scanner.Type;

    /// <summary>Whether the reply at hand says that there is nothing.</summary>
    public bool ReplyIsNull => _scanner.IsNull;

    /// <summary>Connects, logs in, and selects the database.</summary>
    /// <exception cref="OriginException">There is no connection.</exception>
    public static async Task<UpstreamConnection> OpenAsync(RedisOptions options, Server server, int protocol, TimeSpan atMost)
    {
        var (socket, stream) = await RedisSocket.OpenAsync(options, server, atMost).ConfigureAwait(false);
        using var patience = new CancellationTokenSource(atMost);
        var connection = new UpstreamConnection(socket, stream, server);
        try
        {
            await connection.GreetAsync(options, protocol, patience.Token).ConfigureAwait(false);
            return connection;
        }
        catch (Exception failure)
        {
            connection.Dispose();
            throw failure is OriginException lost ? new OriginException(lost.Fault, outcomeUnknown: false, lost) : RedisSocket.Translate(failure); // no client's command was sent
        }
    }

    /// <summary>Whether Redis has closed it, or has said something that nobody asked for.</summary>
    public bool IsStale => _from != _to || _socket.Poll(0, SelectMode.SelectRead);

    /// <summary>Sends commands.</summary>
    /// <exception cref="OriginException">The connection is lost.</exception>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> commands)
    {
        try
        {
            await _stream.WriteAsync(commands).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            throw RedisSocket.Translate(failure, outcomeUnknown: true);
        }
    }

    /// <summary>Waits until the kind of the next reply is known; of an array, also how long it is.</summary>
    /// <exception cref="OriginException">The connection is lost.</exception>
    public async ValueTask NextReplyAsync(CancellationToken cancellation = default)
    {
        while (true)
        {
            // Looked at here, and gone through once it is moved on.
            var look = default(ReplyScanner);
            look.Begin();
            look.Scan(_received.AsSpan(_from.._to), out var whole);
            if (whole || look.Length is not null || (look.Type is not 0 and not ((byte)'*' or (byte)'$')))
            {
                _scanner = look;
                return;
            }

            await FillAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Hands the reply on.</summary>
    /// <param name="output">To whom; not flushed at the end.</param>
    /// <param name="flush">Called when much has been handed on.</param>
    /// <exception cref="OriginException">The connection is lost.</exception>
    public async ValueTask MoveReplyAsync(IBufferWriter<byte> output, Func<ValueTask> flush)
    {
        _scanner.Begin();
        while (true)
        {
            var length = _scanner.Scan(_received.AsSpan(_from.._to), out var ended);
            output.Write(_received.AsSpan(_from, length));
            _from += length;
            if (ended)
            {
                return;
            }

            await flush().ConfigureAwait(false);
            await FillAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Hands on what has come, whatever it is; waits until there is something.</summary>
    /// <returns>Its first byte.</returns>
    /// <exception cref="OriginException">The connection is lost.</exception>
    public async ValueTask<byte> MoveAnythingAsync(IBufferWriter<byte> output)
    {
        if (_from == _to)
        {
            await FillAsync(CancellationToken.None).ConfigureAwait(false);
        }

        var first = _received[_from];
        output.Write(_received.AsSpan(_from.._to));
        _from = _to;
        return first;
    }

    /// <summary>Reads a whole reply.</summary>
    /// <exception cref="OriginException">The connection is lost.</exception>
    public async ValueTask<ReplyValue> ReadReplyAsync(CancellationToken cancellation = default)
    {
        var bytes = new ArrayBufferWriter<byte>();
        await NextReplyAsync(cancellation).ConfigureAwait(false);
        await MoveReplyAsync(bytes, static () => ValueTask.CompletedTask).ConfigureAwait(false);
        return ReplyValue.Parse(bytes.WrittenSpan);
    }

    /// <summary>Sends a command of our own, and reads its reply.</summary>
    /// <exception cref="OriginException">The connection is lost.</exception>
    public async ValueTask<ReplyValue> AskAsync(CancellationToken cancellation, params string[] words)
    {
        var command = $"*{words.Length}\r\n" + string.Concat(words.Select(word => $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n"));
        await SendAsync(Encoding.UTF8.GetBytes(command)).ConfigureAwait(false);
        return await ReadReplyAsync(cancellation).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _stream.Dispose();
        _socket.Dispose();
    }

    private async Task GreetAsync(RedisOptions options, int protocol, CancellationToken cancellation)
    {
        string[] login = options.Password is { } password ? ["AUTH", options.User ?? "default", password] : [];
        var hello = await AskAsync(cancellation, ["HELLO", $"{protocol}", .. login]).ConfigureAwait(false);
        if (hello.IsError)
        {
            // One that knows no HELLO (before 6.0) speaks RESP2; one that does has refused the login.
            if (protocol == 3 || hello.Text.StartsWith("WRONGPASS", StringComparison.Ordinal) || hello.Text.StartsWith("NO", StringComparison.Ordinal))
            {
                throw new OriginException(OriginFault.Refused);
            }

            if (options.Password is not null
                && (await AskAsync(cancellation, options.User is { } user ? ["AUTH", user, options.Password] : ["AUTH", options.Password]).ConfigureAwait(false)).IsError)
            {
                throw new OriginException(OriginFault.Refused);
            }
        }
        else
        {
            Protocol = protocol;
            Id = hello["id"]?.Number ?? 0;
            Version = hello["version"]?.Text;
        }

        if (options.Database != 0 && (await AskAsync(cancellation, "SELECT", $"{options.Database}").ConfigureAwait(false)).IsError)
        {
            throw new OriginException(OriginFault.Refused);
        }
    }

    private async ValueTask FillAsync(CancellationToken cancellation)
    {
        if (_from == _to)
        {
            (_from, _to) = (0, 0);
        }
        else if (_to == _received.Length)
        {
            _received.AsSpan(_from.._to).CopyTo(_received);
            (_from, _to) = (0, _to - _from);
        }

        try
        {
            var read = await _stream.ReadAsync(_received.AsMemory(_to), cancellation).ConfigureAwait(false);
            _to += read > 0 ? read : throw new OriginException(OriginFault.Unreachable, outcomeUnknown: true);
        }
        catch (Exception failure) when (failure is not OriginException)
        {
            throw RedisSocket.Translate(failure, outcomeUnknown: true);
        }
    }
}
