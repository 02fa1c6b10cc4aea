using System.Text;

namespace RpOrleans.Gateway.Resp;

/// <summary>Where one argument lies in the bytes that its request came in.</summary>
internal readonly record struct Argument(int From, int Length);

/// <summary>One command with its arguments, the command's name first. Valid until <see cref="RequestParser.Release"/>.</summary>
internal readonly struct Request
{
    private readonly byte[] _received;
    private readonly int _from;
    private readonly int _to;
    private readonly List<Argument> _arguments;
    private readonly int _first;

    /// <param name="received">What it came in.</param>
    /// <param name="from">Where it begins there.</param>
    /// <param name="to">Where it ends.</param>
    /// <param name="arguments">Where arguments lie, those of other requests too.</param>
    /// <param name="first">Which is its first one.</param>
    /// <param name="count">How many are its own; at least one.</param>
    public Request(byte[] received, int from, int to, List<Argument> arguments, int first, int count) =>
        (_received, _from, _to, _arguments, _first, Count) = (received, from, to, arguments, first, count);

    /// <summary>How many arguments there are, the name included.</summary>
    public int Count { get; }

    /// <summary>The command's name, as it was sent.</summary>
    public ReadOnlySpan<byte> Name => this[0];

    /// <summary>The request as it goes to Redis.</summary>
    public ReadOnlyMemory<byte> Bytes => _received.AsMemory(_from.._to);

    /// <summary>Whether another request came right behind this one.</summary>
    public bool Precedes(in Request next) => ReferenceEquals(_received, next._received) && next._from == _to;

    /// <summary>This request and those behind it.</summary>
    public ReadOnlyMemory<byte> BytesTo(in Request last) => _received.AsMemory(_from..last._to);

    /// <summary>An argument; 0 is the name.</summary>
    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            var (from, length) = _arguments[_first + index];
            return _received.AsSpan(from, length);
        }
    }

    /// <summary>Whether an argument is this word, whatever its case.</summary>
    public bool Is(int index, ReadOnlySpan<byte> word) => Ascii.EqualsIgnoreCase(this[index], word);
}
