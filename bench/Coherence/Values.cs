using System.Buffers.Text;

namespace RpOrleans.Coherence;

/// <summary>Keys, and values of 100 bytes that say whose they are and which version: <c>k0001234</c>, <c>k0001234 v0000000007 …</c>.</summary>
internal static class Values
{
    /// <summary>Bytes of a key.</summary>
    public const int KeyLength = 8;

    /// <summary>Bytes of a value.</summary>
    public const int Length = 100;

    private const int VersionAt = KeyLength + 2;
    private const int VersionLength = 10;

    /// <summary>Writes a key.</summary>
    public static void WriteKey(Span<byte> to, int key)
    {
        to[0] = (byte)'k';
        WriteNumber(to[1..KeyLength], key);
    }

    /// <summary>Writes the value of a key.</summary>
    public static void WriteValue(Span<byte> to, int key, int version)
    {
        to = to[..Length];
        to.Fill((byte)'.');
        WriteKey(to, key);
        " v"u8.CopyTo(to[KeyLength..]);
        WriteNumber(to.Slice(VersionAt, VersionLength), version);
    }

    /// <summary>Takes a value apart.</summary>
    /// <returns>Its version; −1 when it is not a whole value of this key.</returns>
    public static int VersionOf(ReadOnlySpan<byte> value, int key)
    {
        Span<byte> whole = stackalloc byte[Length];
        if (value.Length != Length || !Utf8Parser.TryParse(value.Slice(VersionAt, VersionLength), out int version, out var digits) || digits != VersionLength)
        {
            return -1;
        }

        WriteValue(whole, key, version);
        return value.SequenceEqual(whole) ? version : -1;
    }

    private static void WriteNumber(Span<byte> to, int number)
    {
        for (var i = to.Length - 1; i >= 0; i--, number /= 10)
        {
            to[i] = (byte)('0' + (number % 10));
        }
    }
}
