using Microsoft.Extensions.Primitives;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;

namespace RpOrleans.Gateway.Http;

/// <summary>What a request's <c>Cache-Control</c> asks for (RFC 9111, section 5.2.1, and RFC 5861, section 4).</summary>
internal static class CacheDirectives
{
    private static readonly ReadTerms _none = new(ReadMode.Normal);

    /// <summary>Reads the header; a directive that is malformed or unknown is ignored, as the RFC wants, and of one that comes twice the second.</summary>
    public static ReadTerms Parse(StringValues header)
    {
        if (header.Count == 0)
        {
            return _none;
        }

        var (noStore, noCache, onlyIfCached) = (false, false, false);
        TimeSpan? maximumAge = null, minimumFresh = null, maximumStale = null, staleIfError = null;
        foreach (var (name, argument) in DirectiveList.Parse(header.ToString()))
        {
            switch (name.ToLowerInvariant())
            {
                case "no-store" when argument is null:
                    noStore = true;
                    break;
                case "no-cache":
                    noCache = true;
                    break;
                case "only-if-cached" when argument is null:
                    onlyIfCached = true;
                    break;
                case "max-age":
                    maximumAge ??= DirectiveList.Seconds(argument);
                    break;
                case "min-fresh":
                    minimumFresh ??= DirectiveList.Seconds(argument);
                    break;
                case "max-stale":
                    maximumStale ??= argument is null ? TimeSpan.MaxValue : DirectiveList.Seconds(argument);
                    break;
                case "stale-if-error":
                    staleIfError ??= DirectiveList.Seconds(argument);
                    break;
            }
        }

        var mode = noStore ? ReadMode.Bypass : noCache ? ReadMode.Refresh : ReadMode.Normal;
        var stale = onlyIfCached ? maximumStale : staleIfError ?? maximumStale; // where Redis is not asked it does not fail
        return maximumAge is null && minimumFresh is null && stale is null
            ? new(mode, OnlyIfHeld: onlyIfCached)
            : new(mode, new CopyTerms(maximumAge, minimumFresh, stale), onlyIfCached);
    }
}
