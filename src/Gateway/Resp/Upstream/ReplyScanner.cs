using RpOrleans.Grains.Origin;

namespace RpOrleans.Gateway.Resp.Upstream;

// No stack: an array of n adds n to the number of elements that have yet to end, wherever it stands, and the reply is whole
// when there are none. Nothing is kept of what went by, so a reply of any size takes no memory here.

/// <summary>Finds where a reply ends, of either version of the protocol, in whatever pieces it comes.</summary>
internal struct ReplyScanner
{
    private long _elements; // that have yet to end
    private long _number;
    private bool _negative;
    private bool _any; // digits of the number
    private byte _type; // of the element that is being read; 0 before it
    private State _state;

    private enum State : byte
    {
        Type,
        Line,
        Length,
        Body,
    }

    /// <summary>The first byte of the reply: what kind it is; 0 before it has arrived.</summary>
    public byte Type { get; private set; }

    /// <summary>The length or number in the reply's first line, once that has arrived; -1 for a null of RESP2.</summary>
    public long? Length { get; private set; }

    /// <summary>Gets ready for a reply.</summary>
    public void Begin() => this = new ReplyScanner { _elements = 1 };

    /// <summary>Whether the reply, its first line having arrived, says that there is nothing.</summary>
    public readonly bool IsNull => Type == '_' || (Type is (byte)'$' or (byte)'*' && Length == -1);

    /// <summary>Goes through what has arrived.</summary>
    /// <param name="bytes">It.</param>
    /// <param name="ended">Whether the reply ends within it.</param>
    /// <returns>How many of the bytes belong to the reply.</returns>
    /// <exception cref="OriginException">It is not the Redis protocol.</exception>
    public int Scan(ReadOnlySpan<byte> bytes, out bool ended)
    {
        var at = 0;
        while (at < bytes.Length)
        {
            switch (_state)
            {
                case State.Type:
                    Begin(bytes[at++]);
                    break;
                case State.Line:
                    var end = bytes[at..].IndexOf((byte)'\n');
                    if (end < 0)
                    {
                        at = bytes.Length;
                        break;
                    }

                    at += end + 1;
                    _elements--;
                    _state = State.Type;
                    break;
                case State.Length:
                    TakeDigit(bytes[at++]);
                    break;
                case State.Body:
                    var taken = (int)Math.Min(_number, bytes.Length - at);
                    at += taken;
                    _number -= taken;
                    if (_number == 0)
                    {
                        _elements--;
                        _state = State.Type;
                    }

                    break;
            }

            if (_elements == 0)
            {
                ended = true;
                return at;
            }
        }

        ended = false;
        return at;
    }

    private void Begin(byte type)
    {
        if (Type == 0)
        {
            Type = type;
        }

        (_type, _number, _negative, _any) = (type, 0, false, false);
        _state = type switch
        {
            (byte)'+' or (byte)'-' or (byte)'_' or (byte)'#' or (byte)',' or (byte)'(' => State.Line,
            (byte)':' or (byte)'$' or (byte)'=' or (byte)'!' or (byte)'*' or (byte)'~' or (byte)'>' or (byte)'%' or (byte)'|' => State.Length,
            _ => throw new OriginException(OriginFault.Protocol, outcomeUnknown: true),
        };
    }

    private void TakeDigit(byte next)
    {
        if (next == '-' && !_any && !_negative)
        {
            _negative = true;
        }
        else if (next is >= (byte)'0' and <= (byte)'9')
        {
            _any = true;
            _number = unchecked((_number * 10) + (next - '0'));
        }
        else if (next == '\n' && _any)
        {
            EndLine(_negative ? -_number : _number);
        }
        else if (next != '\r' && !(next == '+' && _type == ':'))
        {
            throw new OriginException(OriginFault.Protocol, outcomeUnknown: true);
        }
    }

    private void EndLine(long number)
    {
        if (Length is null && Type == _type)
        {
            Length = number;
        }

        if (_type == ':' )
        {
            _elements--;
            _state = State.Type;
            return;
        }

        if (number is < -1 or > int.MaxValue)
        {
            throw new OriginException(OriginFault.Protocol, outcomeUnknown: true);
        }

        if (_type is (byte)'$' or (byte)'=' or (byte)'!')
        {
            _number = number + 2;
            _state = number < 0 ? State.Type : State.Body;
            _elements -= number < 0 ? 1 : 0;
            return;
        }

        _elements += Math.Max(0, number) * (_type is (byte)'%' or (byte)'|' ? 2 : 1) - (_type == '|' ? 0 : 1); // what has attributes comes after them
        _state = State.Type;
    }
}
