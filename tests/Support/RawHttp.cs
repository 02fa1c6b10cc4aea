using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace RpOrleans.Tests.Support;

/// <summary>An HTTP connection that sends exactly the bytes it is given, and takes answers as they come. Fails a test on any HTTP 500.</summary>
internal sealed class RawHttp : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly TcpClient _client;
    private readonly NetworkStream _stream;
    private byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    private RawHttp(TcpClient client) => (_client, _stream) = (client, client.GetStream());

    /// <summary>Connects to a loopback port.</summary>
    public static async Task<RawHttp> ConnectAsync(int port)
    {
        var client = new TcpClient { NoDelay = true };
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port);
            return new RawHttp(client);
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Sends a request over a connection of its own.</summary>
    /// <param name="port">Where to.</param>
    /// <param name="request">Its bytes.</param>
    /// <returns>The answer, and whether the server closed the connection after it; no answer when it only closed.</returns>
    public static async Task<(RawAnswer? Answer, bool Closed)> AskAsync(int port, byte[] request)
    {
        using var connection = await ConnectAsync(port);
        await connection.SendAsync(request);
        var answer = await connection.TryReceiveAsync(IsHead(request));
        return (answer, answer is null || (answer.SaysClose && await connection.IsClosedWithinAsync(TimeSpan.FromSeconds(5))));
    }

    /// <summary>A request's bytes, with a <c>Host</c>, and with a <c>Content-Length</c> when there is a body.</summary>
    public static byte[] Request(string method, string target, byte[]? body = null, params string[] headers)
    {
        var head = new StringBuilder($"{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
        foreach (var header in headers)
        {
            head.Append(header).Append("\r\n");
        }

        if (body is not null)
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n");
        }

        return [.. Encoding.Latin1.GetBytes(head.Append("\r\n").ToString()), .. body ?? []];
    }

    /// <summary>Sends bytes.</summary>
    /// <returns>Whether they could be sent: not when the server has closed.</returns>
    public async Task<bool> SendAsync(Memory<byte> bytes)
    {
        try
        {
            await _stream.WriteAsync(bytes);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Sends bytes.</summary>
    public Task<bool> SendAsync(byte[] bytes) => SendAsync(bytes.AsMemory());

    /// <summary>Sends text, one byte a character.</summary>
    public Task<bool> SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Says that nothing more will be sent.</summary>
    public void EndSending() => _client.Client.Shutdown(SocketShutdown.Send);

    /// <summary>Takes the next answer.</summary>
    public async Task<RawAnswer> ReceiveAsync(bool toHead = false) =>
        await TryReceiveAsync(toHead) ?? throw new EndOfStreamException("The server closed the connection without an answer.");

    /// <summary>Takes the next answer; none when the server closes the connection instead.</summary>
    public async Task<RawAnswer?> TryReceiveAsync(bool toHead = false)
    {
        using var patience = new CancellationTokenSource(_patience);
        try
        {
            if (await ReadLineAsync(patience.Token) is not { } status)
            {
                return null;
            }

            var words = status.Split(' ', 3);
            Assert.True(words.Length == 3 && words[0] == "HTTP/1.1" && words[1].Length == 3, $"Not a status line: {status}");
            var headers = new List<(string Name, string Value)>();
            while (await ReadLineAsync(patience.Token) is { Length: > 0 } line)
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                Assert.True(colon > 0 && line[..colon].All(c => char.IsAsciiLetterOrDigit(c) || c == '-'), $"Not a header: {line}");
                Assert.DoesNotContain(line, static c => c is < ' ' or > '~');
                headers.Add((line[..colon], line[(colon + 1)..].Trim()));
            }

            var answer = new RawAnswer(int.Parse(words[1], CultureInfo.InvariantCulture), headers, []);
            Assert.NotEqual(500, answer.Status);
            return toHead || answer.Status is < 200 or 204 or 304 ? answer : answer with { Body = await ReadBodyAsync(answer, patience.Token) };
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Whether the server closes the connection, having sent nothing more, before so much time has passed.</summary>
    public async Task<bool> IsClosedWithinAsync(TimeSpan time)
    {
        Assert.True(_start == _end, $"There is more than an answer: {Encoding.Latin1.GetString(_buffer, _start, _end - _start)}");
        using var patience = new CancellationTokenSource(time);
        try
        {
            return await _stream.ReadAsync(new byte[1], patience.Token) == 0 ? true : throw new InvalidDataException("There is more than an answer.");
        }
        catch (IOException)
        {
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>The status of the answer that has begun to come; what has come of it stays to be read.</summary>
    public async Task<int> AwaitStatusAsync()
    {
        const int Until = 12; // HTTP/1.1 200
        using var patience = new CancellationTokenSource(_patience);
        while (_end - _start < Until && await FillAsync(patience.Token))
        {
        }

        return int.Parse(Encoding.Latin1.GetString(_buffer, _start, Until)[^3..], CultureInfo.InvariantCulture);
    }

    /// <summary>Everything that the server sends until it closes.</summary>
    public async Task<byte[]> ReadToCloseAsync()
    {
        using var patience = new CancellationTokenSource(_patience);
        try
        {
            while (await FillAsync(patience.Token))
            {
            }
        }
        catch (IOException)
        {
            // Closed on bytes that it had not read.
        }
        catch (OperationCanceledException)
        {
            var began = Encoding.Latin1.GetString(_buffer, _start, Math.Min(_end - _start, 200));
            throw new TimeoutException($"Still open after {_patience.TotalSeconds} s; {_end - _start} bytes have come, which begin with: {began}");
        }

        return Take(_end - _start);
    }

    public void Dispose() => _client.Dispose();

    private static bool IsHead(ReadOnlySpan<byte> request) => request.StartsWith("HEAD "u8);

    private async Task<byte[]> ReadBodyAsync(RawAnswer answer, CancellationToken cancellation)
    {
        if (answer["Transfer-Encoding"] is { } encoding)
        {
            Assert.Equal("chunked", encoding);
            Assert.Null(answer["Content-Length"]);
            var body = new List<byte>();
            while (int.Parse((await ReadLineAsync(cancellation))!, NumberStyles.HexNumber, CultureInfo.InvariantCulture) is > 0 and var size)
            {
                body.AddRange(await ReadAsync(size, cancellation));
                Assert.Equal("", await ReadLineAsync(cancellation));
            }

            Assert.Equal("", await ReadLineAsync(cancellation));
            return [.. body];
        }

        if (answer["Content-Length"] is null)
        {
            Assert.True(answer.SaysClose, "Nothing says where the answer ends.");
            return await ReadToCloseAsync();
        }

        return await ReadAsync(int.Parse(answer["Content-Length"]!, NumberStyles.None, CultureInfo.InvariantCulture), cancellation);
    }

    private async Task<byte[]> ReadAsync(int count, CancellationToken cancellation)
    {
        while (_end - _start < count)
        {
            if (!await FillAsync(cancellation))
            {
                throw new EndOfStreamException("The server closed the connection in the middle of an answer.");
            }
        }

        return Take(count);
    }

    /// <summary>A line without its end; <see langword="null"/> when the connection ends before it begins.</summary>
    private async Task<string?> ReadLineAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var length = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8);
            if (length >= 0)
            {
                var line = Encoding.Latin1.GetString(Take(length));
                _start += 2;
                return line;
            }

            if (!await FillAsync(cancellation))
            {
                return _start == _end ? null : throw new EndOfStreamException("The server closed the connection in the middle of a line.");
            }
        }
    }

    private byte[] Take(int count)
    {
        var taken = _buffer[_start..(_start + count)];
        _start += count;
        return taken;
    }

    private async Task<bool> FillAsync(CancellationToken cancellation)
    {
        if (_end == _buffer.Length)
        {
            var held = _end - _start;
            var larger = held > _buffer.Length / 2 ? new byte[_buffer.Length * 2] : _buffer;
            _buffer.AsSpan(_start, held).CopyTo(larger);
            (_buffer, _start, _end) = (larger, 0, held);
        }

        var read = await _stream.ReadAsync(_buffer.AsMemory(_end), cancellation);
        _end += read;
        return read > 0;
    }
}

/// <summary>An answer as it came.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Headers">Its headers, in order.</param>
/// <param name="Body">Its body, without the framing.</param>
internal sealed record RawAnswer(int Status, IReadOnlyList<(string Name, string Value)> Headers, byte[] Body)
{
    /// <summary>The body as text, one character a byte.</summary>
    public string Text => Encoding.Latin1.GetString(Body);

    /// <summary>For failed assertions: what it says.</summary>
    public override string ToString() => $"{Status} {string.Join("; ", Headers.Select(header => $"{header.Name}: {header.Value}"))} | {Text[..Math.Min(Text.Length, 300)]}";

    /// <summary>Whether the server says that it closes the connection.</summary>
    public bool SaysClose => this["Connection"] == "close";

    /// <summary>A header's value; <see langword="null"/> when it is not there, and a failure when it is there twice.</summary>
    public string? this[string name] =>
        Headers.Where(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value).SingleOrDefault();
}
