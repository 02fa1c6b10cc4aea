using System.Buffers.Text;

namespace RpOrleans.Load;

/// <summary>An HTTP answer that arrives piece by piece.</summary>
internal sealed class HttpAnswer
{
    private const int Unknown = -1;
    private byte[] _received = new byte[4_096];
    private int _length;
    private int _bodyAt;
    private int _bodyLength = Unknown; // until the head is there, and for chunks until the last one is
    private bool _chunked;

    public int Status { get; private set; }

    /// <summary>The body, when all of it is there.</summary>
    public ReadOnlySpan<byte> Body => _received.AsSpan(_bodyAt, _bodyLength);

    /// <summary>All that was received, as text for a message.</summary>
    public string Text => System.Text.Encoding.Latin1.GetString(_received.AsSpan(0, Math.Min(_length, 400)));

    /// <summary>Where the next piece is to go.</summary>
    public Span<byte> Room()
    {
        if (_length == _received.Length)
        {
            Array.Resize(ref _received, 2 * _received.Length);
        }

        return _received.AsSpan(_length);
    }

    /// <summary>Takes a piece that was put there.</summary>
    /// <returns>Whether the answer is there as a whole.</returns>
    /// <exception cref="WrongAnswerException">It is no HTTP.</exception>
    public bool Take(int count)
    {
        _length += count;
        if (_bodyAt == 0 && !TryReadHead())
        {
            return false;
        }

        if (_chunked && _bodyLength == Unknown)
        {
            return TryJoinChunks();
        }

        return _length - _bodyAt == _bodyLength || (_length - _bodyAt > _bodyLength
            ? throw new WrongAnswerException($"There is more than an answer: {Text}")
            : false);
    }

    /// <summary>Makes room for the next answer.</summary>
    public void Clear() => (_length, _bodyAt, _bodyLength, _chunked) = (0, 0, Unknown, false);

    private bool TryReadHead()
    {
        var received = _received.AsSpan(0, _length);
        var headLength = received.IndexOf("\r\n\r\n"u8);
        if (headLength < 0)
        {
            return false;
        }

        var head = received[..(headLength + 2)];
        if (!head.StartsWith("HTTP/1.1 "u8) || !Utf8Parser.TryParse(head[9..], out int status, out _))
        {
            throw new WrongAnswerException($"An answer is not HTTP 1.1: {Text}");
        }

        (Status, _bodyAt) = (status, headLength + 4);
        var at = head.IndexOf("Content-Length: "u8);
        if (at >= 0)
        {
            _bodyLength = Utf8Parser.TryParse(head[(at + 16)..], out int length, out _) ? length : throw new WrongAnswerException($"No length: {Text}");
        }
        else
        {
            _chunked = head.IndexOf("Transfer-Encoding: chunked"u8) >= 0;
            _bodyLength = _chunked ? Unknown : status == 204 ? 0 : throw new WrongAnswerException($"An answer says not how long it is: {Text}");
        }

        return true;
    }

    /// <summary>Puts chunks together, once the last one is there.</summary>
    private bool TryJoinChunks()
    {
        var received = _received.AsSpan(_bodyAt, _length - _bodyAt);
        if (!received.EndsWith("0\r\n\r\n"u8) || !AllThere(received))
        {
            return false;
        }

        var (from, to) = (0, 0);
        while (TryReadSize(received[from..], out var size, out var sizeLength) && size > 0)
        {
            received.Slice(from + sizeLength, size).CopyTo(received[to..]);
            (from, to) = (from + sizeLength + size + 2, to + size);
        }

        _bodyLength = to;
        return true;
    }

    // What looks like the last chunk may stand within a value.
    private static bool AllThere(ReadOnlySpan<byte> chunks)
    {
        while (TryReadSize(chunks, out var size, out var sizeLength) && chunks.Length >= sizeLength + size + 2)
        {
            if (size == 0)
            {
                return true;
            }

            chunks = chunks[(sizeLength + size + 2)..];
        }

        return false;
    }

    private static bool TryReadSize(ReadOnlySpan<byte> chunk, out int size, out int length)
    {
        var read = Utf8Parser.TryParse(chunk, out size, out length, 'x');
        length += 2; // CR LF
        return read;
    }
}
