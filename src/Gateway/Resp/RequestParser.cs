using System.Buffers;
using System.Text;

namespace RpOrleans.Gateway.Resp;

// All that was received and not yet answered lies in one piece, so that a request can be sent on as it came. A request that
// has not arrived whole is gone on with where it stopped: however slowly it comes, each byte is looked at once. Memory grows
// as bytes arrive, never by what a length announces.

/// <summary>Finds requests in what a client sends, as Redis does (<c>processMultibulkBuffer</c>, <c>processInlineBuffer</c>).</summary>
internal sealed class RequestParser
{
    /// <summary>Longest line: an inline command, or a count.</summary>
    private const int LineAtMost = 64 * 1024;

    /// <summary>Most arguments of one command.</summary>
    private const int ArgumentsAtMost = 1024 * 1024;

    /// <summary>Longest argument, Redis's <c>proto-max-bulk-len</c> as it comes.</summary>
    private const int ArgumentBytesAtMost = 512 * 1024 * 1024;

    /// <summary>What somebody who has not logged in may send: enough for a login.</summary>
    private const int StrangersArguments = 10;
    private const int StrangersArgumentBytes = 16 * 1024;

    /// <summary>A list of arguments that grew beyond this is not kept for the next requests.</summary>
    private const int ArgumentsKept = 1024;

    private byte[] _received = [];
    private int _start; // of the request that is being read
    private int _at; // what comes before has been looked at
    private int _end;
    private int _missing; // arguments of the present request
    private long _length = -1; // of the present argument
    private List<Argument> _arguments = [];
    private int _first; // argument of the present request

    /// <summary>Why nothing more can be read.</summary>
    public ProtocolError? Error { get; private set; }

    /// <summary>Whether the client has logged in, or need not.</summary>
    public bool Trusted { get; set; } = true;

    /// <summary>Whether a request has begun to arrive.</summary>
    public bool Begun => _end > _start;

    /// <summary>Bytes that are held.</summary>
    public int Held => _end;

    /// <summary>Takes what was received.</summary>
    public void Append(in ReadOnlySequence<byte> bytes)
    {
        var length = checked((int)bytes.Length);
        if (_received.Length - _end < length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_end + length, (int)Math.Min(2L * _end, Array.MaxLength)));
            _received.AsSpan(0, _end).CopyTo(larger);
            Return();
            _received = larger;
        }

        bytes.CopyTo(_received.AsSpan(_end));
        _end += length;
    }

    /// <summary>Reads the next request, if all of it is there.</summary>
    public bool TryRead(out Request request)
    {
        request = default;
        while (Error is null && _at < _end)
        {
            if (_missing == 0)
            {
                if (_received[_at] != '*')
                {
                    if (TryReadInline(out request, out var more))
                    {
                        return true;
                    }

                    if (!more)
                    {
                        return false;
                    }
                }
                else if (!TryReadCount())
                {
                    return false;
                }
            }
            else if (!TryReadArgument())
            {
                return false;
            }
            else if (_missing == 0)
            {
                request = new Request(_received, _start, _at, _arguments, _first, _arguments.Count - _first);
                Next(_at);
                return true;
            }
        }

        return false;
    }

    /// <summary>All requests that were read have been dealt with; their bytes are given up.</summary>
    public void Release()
    {
        if (_start > 0)
        {
            // What has arrived of the next request moves to the front.
            _received.AsSpan(_start, _end - _start).CopyTo(_received);
            _arguments.RemoveRange(0, _first);
            for (var i = 0; i < _arguments.Count; i++)
            {
                _arguments[i] = _arguments[i] with { From = _arguments[i].From - _start };
            }

            (_at, _end, _start, _first) = (_at - _start, _end - _start, 0, 0);
        }

        if (_end == 0)
        {
            Return();
            _received = [];
            if (_arguments.Capacity > ArgumentsKept)
            {
                _arguments = [];
            }
        }
    }

    /// <summary>Gives everything up.</summary>
    public void Dispose()
    {
        Return();
        _received = [];
        (_start, _at, _end) = (0, 0, 0);
    }

    private bool TryReadInline(out Request request, out bool more)
    {
        request = default;
        more = false;
        var line = _received.AsSpan(_at, _end - _at);
        if (OtherProtocols.IsTls(line))
        {
            Error = ProtocolError.OtherProtocol;
            return false;
        }

        var length = LineEnd(line, (byte)'\n');
        if (length < 0)
        {
            Error = line.Length > LineAtMost ? ProtocolError.TooBigInline : null;
            return false;
        }

        var next = _at + length + 1;
        line = line[..length];
        if (line.EndsWith("\r"u8))
        {
            line = line[..^1];
        }

        if (InlineWords.Split(line) is not { } words)
        {
            Error = ProtocolError.UnbalancedQuotes;
            return false;
        }

        if (OtherProtocols.IsRequestLine(words))
        {
            Error = ProtocolError.OtherProtocol;
            return false;
        }

        Next(next);
        more = words.Count == 0;
        if (more)
        {
            return false;
        }

        request = Encode(words);
        return true;
    }

    /// <summary>As the same command looks in the other form.</summary>
    private static Request Encode(List<byte[]> words)
    {
        var bytes = new ArrayBufferWriter<byte>();
        var arguments = new List<Argument>(words.Count);
        bytes.Write(Encoding.ASCII.GetBytes($"*{words.Count}\r\n"));
        foreach (var word in words)
        {
            bytes.Write(Encoding.ASCII.GetBytes($"${word.Length}\r\n"));
            arguments.Add(new Argument(bytes.WrittenCount, word.Length));
            bytes.Write(word);
            bytes.Write("\r\n"u8);
        }

        return new Request(bytes.WrittenSpan.ToArray(), 0, bytes.WrittenCount, arguments, 0, words.Count);
    }

    private bool TryReadCount()
    {
        if (!TryReadLine(ProtocolError.TooBigCount, out var line))
        {
            return false;
        }

        if (!Digits.TryParse(line[1..], out var count) || count > ArgumentsAtMost)
        {
            Error = ProtocolError.InvalidCount;
            return false;
        }

        if (count > StrangersArguments && !Trusted)
        {
            Error = ProtocolError.UnauthenticatedCount;
            return false;
        }

        _at += line.Length + 2;
        if (count <= 0)
        {
            Next(_at); // nothing, and nothing is answered
            return true;
        }

        _missing = (int)count;
        return true;
    }

    private bool TryReadArgument()
    {
        if (_length < 0)
        {
            if (!TryReadLine(ProtocolError.TooBigLength, out var line))
            {
                return false;
            }

            if (line.IsEmpty || line[0] != '$')
            {
                Error = ProtocolError.Expected(_received[_at]);
                return false;
            }

            if (!Digits.TryParse(line[1..], out var length) || length < 0 || length > ArgumentBytesAtMost)
            {
                Error = ProtocolError.InvalidLength;
                return false;
            }

            if (length > StrangersArgumentBytes && !Trusted)
            {
                Error = ProtocolError.UnauthenticatedLength;
                return false;
            }

            _at += line.Length + 2;
            _length = length;
        }

        if (_end - _at < _length + 2)
        {
            return false;
        }

        _arguments.Add(new Argument(_at, (int)_length));
        _at += (int)_length + 2; // Redis does not look what these two are
        _length = -1;
        _missing--;
        return true;
    }

    /// <summary>The line that begins here, without its end: a carriage return, and whatever follows it.</summary>
    private bool TryReadLine(ProtocolError tooLong, out ReadOnlySpan<byte> line)
    {
        var rest = _received.AsSpan(_at, _end - _at);
        var length = LineEnd(rest, (byte)'\r');
        if (length < 0 && rest.Length > LineAtMost)
        {
            Error = tooLong;
        }

        if (length < 0 || length + 2 > rest.Length)
        {
            line = default;
            return false;
        }

        line = rest[..length];
        return true;
    }

    /// <summary>Where a line ends; -1 while it does not. Redis looks for it with <c>strchr</c>, which does not look beyond a NUL.</summary>
    private static int LineEnd(ReadOnlySpan<byte> line, byte end)
    {
        var at = line.IndexOfAny(end, (byte)0);
        return at < 0 || line[at] == 0 ? -1 : at;
    }

    private void Next(int start) => (_start, _at, _missing, _first) = (start, start, 0, _arguments.Count);

    private void Return()
    {
        if (_received.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_received);
        }
    }
}
