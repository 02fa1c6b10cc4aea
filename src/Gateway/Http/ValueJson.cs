using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
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

    /// <summary>As much of a value is encoded at a time; a multiple of three, so that base64 has no seam.</summary>
    private const int ChunkBytes = 48 * 1024;

    /// <summary>The value's JSON members, <c>"value": …</c> and where needed <c>"encoding": …</c>, without braces.</summary>
    public static void WriteMembers(IBufferWriter<byte> output, ReadOnlySpan<byte> value)
    {
        var text = IsText(value);
        output.Write("\"value\": \""u8);
        WriteChunk(output, value, text);
        output.Write(text ? "\""u8 : "\", \"encoding\": \"base64\""u8);
    }

    /// <summary>The same for a value so large that its encoding should not be held at once.</summary>
    public static async Task WriteMembersAsync(PipeWriter output, ReadOnlyMemory<byte> value, CancellationToken cancellation)
    {
        var text = IsText(value.Span);
        output.Write("\"value\": \""u8);
        while (!value.IsEmpty)
        {
            var length = Math.Min(ChunkBytes, value.Length);
            while (text && length < value.Length && (value.Span[length] & 0xC0) == 0x80)
            {
                length--; // not in the middle of a character
            }

            WriteChunk(output, value.Span[..length], text);
            value = value[length..];
            await output.FlushAsync(cancellation);
        }

        output.Write(text ? "\""u8 : "\", \"encoding\": \"base64\""u8);
    }

    /// <summary>A string in JSON, with its quotes.</summary>
    public static void WriteString(IBufferWriter<byte> output, string text)
    {
        output.Write("\""u8);
        output.Write(JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        output.Write("\""u8);
    }

    /// <summary>Whether every byte stands for itself in a JSON string.</summary>
    public static bool IsPlain(ReadOnlySpan<byte> value) => value.IndexOfAnyExcept(_plain) < 0;

    private static bool IsText(ReadOnlySpan<byte> value) => IsPlain(value) || Utf8.IsValid(value);

    private static void WriteChunk(IBufferWriter<byte> output, ReadOnlySpan<byte> value, bool text)
    {
        if (!text)
        {
            var room = output.GetSpan(Base64.GetMaxEncodedToUtf8Length(value.Length));
            Base64.EncodeToUtf8(value, room, out _, out var written);
            output.Advance(written);
        }
        else if (IsPlain(value))
        {
            output.Write(value);
        }
        else
        {
            output.Write(JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        }
    }
}
