using System.Runtime.CompilerServices;

namespace RpOrleans.Grains;

/// <summary>A number in as few bytes as it takes: seven bits in each, the low ones first, and a mark on all but the last (LEB128).</summary>
internal static class PackedNumber
{
    /// <summary>The most bytes that one takes.</summary>
    public const int BytesAtMost = 10;

    /// <summary>How many bytes a number takes.</summary>
    public static int SizeOf(ulong number)
    {
        var size = 1;
        for (; number >= 0x80; number >>= 7)
        {
            size++;
        }

        return size;
    }

    /// <summary>Writes it.</summary>
    /// <returns>How many bytes that took.</returns>
    public static int Write(Span<byte> bytes, ulong number)
    {
        var at = 0;
        for (; number >= 0x80; number >>= 7)
        {
            bytes[at++] = (byte)(number | 0x80);
        }

        bytes[at++] = (byte)number;
        return at;
    }

    /// <summary>Reads it.</summary>
    /// <param name="bytes">What begins with it; afterwards, what follows.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Read(ref ReadOnlySpan<byte> bytes)
    {
        var first = bytes[0];
        if (first >= 0x80)
        {
            return ReadLong(ref bytes);
        }

        bytes = bytes[1..];
        return first;
    }

    // Nearly all are lengths of less than 128.
    private static ulong ReadLong(ref ReadOnlySpan<byte> bytes)
    {
        ulong number = 0;
        for (var (at, shift) = (0, 0); ; at++, shift += 7)
        {
            number |= (ulong)(bytes[at] & 0x7f) << shift;
            if (bytes[at] < 0x80)
            {
                bytes = bytes[(at + 1)..];
                return number;
            }
        }
    }

    /// <summary>A number that may be negative as one that is small when it is near zero.</summary>
    public static ulong Fold(long number) => (ulong)((number << 1) ^ (number >> 63));

    /// <summary>The number that was folded.</summary>
    public static long Unfold(ulong folded) => (long)(folded >> 1) ^ -(long)(folded & 1);
}
