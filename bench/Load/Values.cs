using System.Buffers.Text;

namespace RpOrleans.Load;

/// <summary>Keys, and values that say whose they are and which version: <c>bench0001234</c>, <c>bench0001234 v0000000007 …</c>.</summary>
internal sealed class Values
{
    /// <summary>Bytes of a key.</summary>
    public const int KeyLength = 12;

    /// <summary>Bytes of the shortest value.</summary>
    public const int LengthAtLeast = VersionAt + VersionLength;

    private const int VersionAt = KeyLength + 2;
    private const int VersionLength = 10;
    private readonly byte[] _filler;

    /// <param name="length">Bytes of a value.</param>
    public Values(int length)
    {
        _filler = new byte[length - LengthAtLeast];
        _filler.AsSpan().Fill((byte)'.');
    }

    /// <summary>Bytes of a value.</summary>
    public int Length => LengthAtLeast + _filler.Length;

    /// <summary>Writes a key.</summary>
    public static void WriteKey(Span<byte> to, int key)
    {
        "bench"u8.CopyTo(to);
        WriteNumber(to[5..KeyLength], key);
    }

    /// <summary>Writes the value of a key.</summary>
    public void Write(Span<byte> to, int key, long version)
    {
        WriteKey(to, key);
        " v"u8.CopyTo(to[KeyLength..]);
        WriteNumber(to.Slice(VersionAt, VersionLength), version);
        _filler.CopyTo(to[LengthAtLeast..]);
    }

    /// <summary>Finds the value of a key in an answer, whatever stands around it, and compares all of it.</summary>
    /// <param name="answer">The answer; afterwards, what follows the value.</param>
    /// <param name="key">The key.</param>
    /// <returns>Its version; −1 when it is not there as a whole.</returns>
    public long Take(ref ReadOnlySpan<byte> answer, int key)
    {
        Span<byte> begin = stackalloc byte[VersionAt];
        WriteKey(begin, key);
        " v"u8.CopyTo(begin[KeyLength..]);
        var at = answer.IndexOf(begin);
        if (at < 0 || answer.Length - at < Length)
        {
            return -1;
        }

        var value = answer.Slice(at, Length);
        answer = answer[(at + Length)..];
        return Utf8Parser.TryParse(value.Slice(VersionAt, VersionLength), out long version, out var digits) && digits == VersionLength
            && value[LengthAtLeast..].SequenceEqual(_filler) && !answer.StartsWith("."u8)
            ? version
            : -1;
    }

    private static void WriteNumber(Span<byte> to, long number)
    {
        for (var i = to.Length - 1; i >= 0; i--, number /= 10)
        {
            to[i] = (byte)('0' + (number % 10));
        }
    }
}
