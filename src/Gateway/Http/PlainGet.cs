using System.Buffers;
using System.Text;

namespace RpOrleans.Gateway.Http;

// Strict where Kestrel is lenient: what is not certain to mean here what it means there is not taken, and Kestrel sees it.

/// <summary>The head of a <c>GET</c> of a key that asks for nothing but the value, as JSON (RFC 9112, sections 3 and 5).</summary>
internal static class PlainGet
{
    /// <summary>Longer heads are left to Kestrel.</summary>
    private const int HeadAtMost = 4 * 1024;

    /// <summary>So are those with more fields.</summary>
    private const int FieldsAtMost = 24;

    private static readonly SearchValues<byte> _ofKeys = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@"u8); // pchar without escapes (RFC 3986, section 3.3)
    private static readonly SearchValues<byte> _ofHosts = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."u8);
    private static readonly SearchValues<byte> _ofFields = SearchValues.Create([(byte)'\t', .. Enumerable.Range(0x20, 0x5f).Select(b => (byte)b)]);

    /// <summary>Fields that change nothing about the answer.</summary>
    private static readonly string[] _ignored =
        ["User-Agent", "Accept-Encoding", "Accept-Language", "Referer", "Cookie", "Origin", "traceparent", "tracestate", "X-Request-Id", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP"];

    /// <summary>Reads one.</summary>
    /// <param name="bytes">What has arrived: a head, and perhaps more.</param>
    /// <param name="key">The key.</param>
    /// <param name="length">How long the head is.</param>
    /// <returns>Whether it is one, whole, and every field of it is understood.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> key, out int length)
    {
        key = default;
        length = 0;
        var rest = bytes[..Math.Min(bytes.Length, HeadAtMost)];
        if (!Take(ref rest, "GET /get/"u8) && !Take(ref rest, "GET /v1/keys/"u8))
        {
            return false;
        }

        var end = rest.IndexOfAnyExcept(_ofKeys);
        if (end <= 0)
        {
            return false;
        }

        key = rest[..end];
        rest = rest[end..];
        return Take(ref rest, " HTTP/1.1\r\n"u8) && TakeFields(ref rest) && (length = Math.Min(bytes.Length, HeadAtMost) - rest.Length) > 0;
    }

    private static bool TakeFields(ref ReadOnlySpan<byte> rest)
    {
        var (hosts, accepts) = (0, 0);
        for (var fields = 0; !Take(ref rest, "\r\n"u8); fields++)
        {
            var end = rest.IndexOfAnyExcept(_ofFields);
            var colon = end < 0 ? -1 : rest[..end].IndexOf((byte)':');
            if (colon <= 0 || fields == FieldsAtMost)
            {
                return false;
            }

            var name = rest[..colon];
            var value = rest[(colon + 1)..end].Trim(" \t"u8);
            rest = rest[end..];
            if (!Take(ref rest, "\r\n"u8))
            {
                return false;
            }

            if (Ascii.EqualsIgnoreCase(name, "Host"))
            {
                hosts++;
                if (!IsHost(value))
                {
                    return false;
                }
            }
            else if (Ascii.EqualsIgnoreCase(name, "Accept"))
            {
                accepts++;
                if (!value.SequenceEqual("*/*"u8) && !value.SequenceEqual("application/json"u8))
                {
                    return false;
                }
            }
            else if (!IsIgnored(name) && !(Ascii.EqualsIgnoreCase(name, "Connection") && Ascii.EqualsIgnoreCase(value, "keep-alive")))
            {
                return false;
            }
        }

        return hosts == 1 && accepts <= 1;
    }

    private static bool IsHost(ReadOnlySpan<byte> value)
    {
        var colon = value.IndexOf((byte)':');
        var name = colon < 0 ? value : value[..colon];
        var port = colon < 0 ? "0"u8 : value[(colon + 1)..];
        return !name.IsEmpty && name.IndexOfAnyExcept(_ofHosts) < 0 && port.Length is > 0 and <= 5 && port.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
    }

    private static bool IsIgnored(ReadOnlySpan<byte> name)
    {
        foreach (var ignored in _ignored)
        {
            if (name.Length == ignored.Length && Ascii.EqualsIgnoreCase(name, ignored))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Take(ref ReadOnlySpan<byte> rest, ReadOnlySpan<byte> expected)
    {
        if (!rest.StartsWith(expected))
        {
            return false;
        }

        rest = rest[expected.Length..];
        return true;
    }
}
