namespace RpOrleans.Gateway.Http;

/// <summary>Percent-encoded bytes (RFC 3986, section 2.1).</summary>
internal static class PercentEncoding
{
    /// <summary>Decodes once.</summary>
    /// <param name="encoded">Printable ASCII with <c>%XX</c> escapes.</param>
    /// <param name="nulEscape">Three characters that stand for a NUL as well; or nothing.</param>
    /// <param name="decoded">The bytes.</param>
    /// <returns>Whether every escape was well formed and every other character printable.</returns>
    public static bool TryDecode(ReadOnlySpan<char> encoded, ReadOnlySpan<char> nulEscape, out byte[] decoded)
    {
        var bytes = encoded.Length <= 1_024 ? stackalloc byte[encoded.Length] : new byte[encoded.Length];
        var length = 0;
        decoded = [];
        for (var i = 0; i < encoded.Length; i++)
        {
            var c = encoded[i];
            if (c is <= ' ' or >= '\x7f')
            {
                return false;
            }

            if (c != '%')
            {
                bytes[length++] = (byte)c;
            }
            else if (i + 2 < encoded.Length && char.IsAsciiHexDigit(encoded[i + 1]) && char.IsAsciiHexDigit(encoded[i + 2]))
            {
                bytes[length++] = (byte)((Nibble(encoded[i + 1]) << 4) | Nibble(encoded[i + 2]));
                i += 2;
            }
            else if (!nulEscape.IsEmpty && encoded[i..].StartsWith(nulEscape, StringComparison.Ordinal))
            {
                bytes[length++] = 0;
                i += 2;
            }
            else
            {
                return false;
            }
        }

        decoded = bytes[..length].ToArray();
        return true;
    }

    private static int Nibble(char digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
