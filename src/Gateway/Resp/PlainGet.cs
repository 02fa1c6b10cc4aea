using System.Buffers.Text;
using System.Text;

namespace RpOrleans.Gateway.Resp;

/// <summary><c>GET</c> of a key in the form in which all clients send it: what is asked for most, and so looked for before all else.</summary>
internal static class PlainGet
{
    private static ReadOnlySpan<byte> Begin => "*2\r\n$3\r\n"u8;

    private static ReadOnlySpan<byte> BeforeLength => "\r\n$"u8;

    /// <summary>Reads one.</summary>
    /// <param name="received">What has arrived.</param>
    /// <param name="key">The key.</param>
    /// <param name="length">How many bytes it takes.</param>
    /// <returns>Whether that is what has arrived, and all of it.</returns>
    public static bool TryRead(ReadOnlySpan<byte> received, out ReadOnlySpan<byte> key, out int length)
    {
        key = default;
        length = 0;
        var name = Begin.Length;
        var digits = name + 3 + BeforeLength.Length;
        if (received.Length < digits + 3 || !received.StartsWith(Begin) || !Ascii.EqualsIgnoreCase(received.Slice(name, 3), "GET"u8) || !received[(name + 3)..].StartsWith(BeforeLength))
        {
            return false;
        }

        // A length that begins with another digit than 1 to 9 is for the parser to judge.
        if (received[digits] is < (byte)'1' or > (byte)'9' || !Utf8Parser.TryParse(received[digits..], out int bytes, out var read))
        {
            return false;
        }

        var at = digits + read;
        if (received.Length - at - 4 < bytes || received[at] != '\r' || received[at + 1] != '\n')
        {
            return false;
        }

        key = received.Slice(at + 2, bytes);
        length = at + 2 + bytes + 2;
        return true;
    }
}
