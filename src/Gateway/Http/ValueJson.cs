using System.Buffers;
using System.Buffers.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace RpOrleans.Gateway.Http;

/// <summary>Writes values into JSON: UTF-8 as a string, anything else in base64.</summary>
internal static class ValueJson
{
    // Every character of these stands for itself in a JSON string (RFC 8259, section 7).
    private static readonly SearchValues<byte> _plain = SearchValues.Create(
        [.. Enumerable.Range(0x20, 0x5f).Select(b => (byte)b).Where(b => b is not ((byte)'"' or (byte)'\\'))]);

    /// <summary>The value's JSON members, <c>"value": …</c> and where needed <c>"encoding": …</c>, without braces.</summary>
    public static void WriteMembers(IBufferWriter<byte> output, ReadOnlySpan<byte> value)
    {
        if (value.IndexOfAnyExcept(_plain) < 0)
        {
            output.Write("\"value\": \""u8);
            output.Write(value);
            output.Write("\""u8);
        }
        else if (Utf8.IsValid(value))
        {
            output.Write("\"value\": \""u8);
            output.Write(JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
            output.Write("\""u8);
        }
        else
        {
            output.Write("\"value\": \""u8);
            var room = output.GetSpan(Base64.GetMaxEncodedToUtf8Length(value.Length));
            Base64.EncodeToUtf8(value, room, out _, out var written);
            output.Advance(written);
            output.Write("\", \"encoding\": \"base64\""u8);
        }
    }

    /// <summary>A string in JSON, with its quotes.</summary>
    public static void WriteString(IBufferWriter<byte> output, string text)
    {
        output.Write("\""u8);
        output.Write(JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        output.Write("\""u8);
    }
}
