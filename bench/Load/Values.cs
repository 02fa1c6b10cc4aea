using System.Buffers.Text;

namespace RpOrleans.Load;

/// <summary>Keys, and values that say whose they are and which version: <c>bench0001234</c>, <c>bench0001234 v0000000007 hxq…</c>. What fills them differs from key to key: what all have in common is kind to some contenders and hard on others.</summary>
internal sealed class Values
{
    /// <summary>Bytes of a key.</summary>
    public const int KeyLength = 12;

    /// <summary>Bytes of the shortest value.</summary>
    public const int LengthAtLeast = VersionAt + VersionLength;

    private const int VersionAt = KeyLength + 2;
    private const int VersionLength = 10;
    private const int Fillers = 4093; // a prime, so that keys that are evenly apart differ
    private readonly int _fillerLength;
    private readonly byte[] _letters;

    /// <param name="length">Bytes of a value.</param>
    public Values(int length)
    {
        _fillerLength = length - LengthAtLeast;
        _letters = new byte[_fillerLength + Fillers];
        var random = new Random(1); // the same in every process: one fills, another compares
        for (var i = 0; i < _letters.Length; i++)
        {
            _letters[i] = (byte)random.Next('a', 'z' + 1);
        }
    }

    /// <summary>Bytes of a value.</summary>
    public int Length => LengthAtLeast + _fillerLength;

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
        FillerOf(key).CopyTo(to[LengthAtLeast..]);
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
            && value[LengthAtLeast..].SequenceEqual(FillerOf(key)) && !(answer.Length > 0 && char.IsAsciiLetterLower((char)answer[0]))
            ? version
            : -1;
    }

    private ReadOnlySpan<byte> FillerOf(int key) => _letters.AsSpan(key % Fillers, _fillerLength);

    private static void WriteNumber(Span<byte> to, long number)
    {
        for (var i = to.Length - 1; i >= 0; i--, number /= 10)
        {
            to[i] = (byte)('0' + (number % 10));
        }
    }
}
