using System.Text;
using System.Text.Json;

namespace RpOrleans.Gateway.Http;

/// <summary>The body of a <c>POST</c> that sets a key.</summary>
/// <param name="Key">The key's bytes: the UTF-8 of <c>"k"</c>.</param>
/// <param name="Value">The value's bytes: the UTF-8 of a string <c>"v"</c>, or a number's text as it stands.</param>
/// <param name="ExpiryMilliseconds">Its time to live; 0 for none.</param>
internal readonly record struct SetBody(byte[] Key, byte[] Value, long ExpiryMilliseconds)
{
    /// <summary>The longest expiry that a <see cref="TimeSpan"/> holds, some 29,000 years.</summary>
    private const long ExpiryAtMost = 922_337_203_685_477;

    /// <summary>Reads it.</summary>
    /// <returns><see langword="null"/> when it is not what it must be.</returns>
    public static SetBody? Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
            var root = json.RootElement;
            return root.ValueKind == JsonValueKind.Object
                   && root.TryGetProperty("k", out var k) && k.ValueKind == JsonValueKind.String
                   && root.TryGetProperty("v", out var v) && Text(v) is { } value
                   && TryExpiry(root, out var expiry)
                ? new SetBody(Encoding.UTF8.GetBytes(k.GetString()!), Encoding.UTF8.GetBytes(value), expiry)
                : null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            return null; // not JSON, or a string with half a surrogate pair, which has no UTF-8
        }
    }

    /// <summary>A positive number of units as milliseconds.</summary>
    public static bool TryMilliseconds(long count, long unit, out long milliseconds)
    {
        milliseconds = count > 0 && count <= ExpiryAtMost / unit ? count * unit : 0;
        return milliseconds > 0;
    }

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(), // never parsed: it would be rounded
        _ => null,
    };

    private static bool TryExpiry(JsonElement root, out long milliseconds)
    {
        milliseconds = 0;
        var (hasEx, hasPx) = (root.TryGetProperty("ex", out var ex), root.TryGetProperty("px", out var px));
        return (hasEx, hasPx) switch
        {
            (false, false) => true,
            (true, false) => ex.ValueKind == JsonValueKind.Number && ex.TryGetInt64(out var seconds) && TryMilliseconds(seconds, 1_000, out milliseconds),
            (false, true) => px.ValueKind == JsonValueKind.Number && px.TryGetInt64(out var count) && TryMilliseconds(count, 1, out milliseconds),
            _ => false,
        };
    }
}
