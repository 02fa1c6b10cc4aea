using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace RpOrleans.Gateway.Http;

/// <summary>How a value is written in an answer.</summary>
internal enum ValueFormat
{
    /// <summary><c>{"value": …, "source": …}</c></summary>
    Json,

    /// <summary>The bytes as they are, as <c>application/octet-stream</c>.</summary>
    Bytes,

    /// <summary>The bytes as they are, as <c>text/plain</c>.</summary>
    Text,
}

/// <summary>Chooses the format that a client likes best (RFC 9110, section 12.5.1).</summary>
internal static class ValueFormats
{
    public const string Json = "application/json";
    public const string Bytes = "application/octet-stream";
    public const string Text = "text/plain";

    /// <summary>The format for an <c>Accept</c> header: JSON when there is none, or when nothing in it can be had.</summary>
    public static ValueFormat Choose(StringValues accept)
    {
        if (accept.Count == 0 || accept.Count == 1 && accept[0] is "*/*" or Json)
        {
            return ValueFormat.Json;
        }

        if (!MediaTypeHeaderValue.TryParseList(accept!, out var ranges))
        {
            return ValueFormat.Json;
        }

        // By quality, then the more specific range, then the order in which the client named them.
        foreach (var range in ranges.Where(range => range.Quality is null or > 0)
                     .OrderByDescending(range => range.Quality ?? 1)
                     .ThenBy(range => range.MatchesAllTypes ? 2 : range.MatchesAllSubTypes ? 1 : 0))
        {
            if (Takes(range, Json)) return ValueFormat.Json;
            if (Takes(range, Bytes)) return ValueFormat.Bytes;
            if (Takes(range, Text)) return ValueFormat.Text;
        }

        return ValueFormat.Json;

        bool Takes(MediaTypeHeaderValue range, string type) =>
            (range.MatchesAllTypes || Matches(range, type))
            && !ranges.Any(other => other.Quality is 0 && !other.MatchesAllSubTypes && Matches(other, type)); // named only to be refused
    }

    private static bool Matches(MediaTypeHeaderValue range, string type) =>
        range.MatchesAllSubTypes
            ? type.StartsWith(range.Type + "/", StringComparison.OrdinalIgnoreCase)
            : range.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase);
}
