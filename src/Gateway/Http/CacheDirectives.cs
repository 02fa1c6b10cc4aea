using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;

namespace RpOrleans.Gateway.Http;

/// <summary>What a request's <c>Cache-Control</c> asks for (RFC 9111, section 5.2.1).</summary>
internal static class CacheDirectives
{
    private static readonly ReadTerms _none = new(ReadMode.Normal);

    /// <summary>Reads the header; what is malformed or unknown in it is ignored, as the RFC wants.</summary>
    public static ReadTerms Parse(StringValues header)
    {
        if (header.Count == 0 || !CacheControlHeaderValue.TryParse(header.ToString(), out var wanted))
        {
            return _none;
        }

        var mode = wanted.NoStore ? ReadMode.Bypass : wanted.NoCache ? ReadMode.Refresh : ReadMode.Normal;
        return new(mode, wanted.MaxAge, wanted.OnlyIfCached);
    }
}
