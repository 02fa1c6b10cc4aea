using System.IO.Hashing;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace RpOrleans.Gateway.Http;

/// <summary>Entity tags of values (RFC 9110, section 8.8.3): 128 bits of XXH3 over the bytes.</summary>
internal static class EntityTags
{
    /// <summary>The tag of a value in a format: strong for its bytes; weak in JSON, where <c>source</c> changes.</summary>
    public static string Of(ReadOnlySpan<byte> value, ValueFormat format)
    {
        var hash = XxHash128.HashToUInt128(value);
        return format == ValueFormat.Json ? $"W/\"j{hash:x32}\"" : $"\"{hash:x32}\"";
    }

    /// <summary>Whether <c>If-None-Match</c> names the tag, by weak comparison. A malformed header names nothing.</summary>
    public static bool Matches(StringValues ifNoneMatch, string tag) =>
        EntityTagHeaderValue.TryParseList(ifNoneMatch!, out var named)
        && named.Any(one => one.Equals(EntityTagHeaderValue.Any) || one.Compare(EntityTagHeaderValue.Parse(tag), useStrongComparison: false));
}
