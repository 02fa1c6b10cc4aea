using System.Globalization;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;

namespace RpOrleans.Gateway.Http;

/// <summary>The headers of every answer about a key.</summary>
internal static class KeyHeaders
{
    private static readonly StringValues _privateNoCache = "private, no-cache";
    private static readonly StringValues _vary = HeaderNames.Accept;
    private static readonly StringValues _noSniff = "nosniff";
    private static readonly StringValues _hit = "HIT";
    private static readonly StringValues _miss = "MISS";
    private static readonly StringValues _bypass = "BYPASS";
    private static readonly StringValues _stale = "STALE";
    private static readonly StringValues _negative = "NEGATIVE";
    private static readonly StringValues _unconfirmed = "rporleans; fwd=stale; detail=unconfirmed";
    private static readonly StringValues _staleIfError = "rporleans; fwd=stale; detail=stale-if-error";
    private static readonly StringValues[] _trackedHits = [.. Enumerable.Range(0, 601).Select(seconds => new StringValues(HitIn(seconds, Freshness.Tracking)))];
    private static readonly StringValues[] _expiringHits = [.. Enumerable.Range(0, 601).Select(seconds => new StringValues(HitIn(seconds, Freshness.Expiry)))];

    /// <summary>Says what a read found, and how old it is: <c>Age</c>, <c>Cache-Status</c> (RFC 9211), <c>X-Cache</c>.</summary>
    public static void OfRead(IHeaderDictionary headers, in Lookup lookup, ReadTerms terms)
    {
        Common(headers);
        headers["X-Cache"] = Cache(lookup, terms);
        headers["Cache-Status"] = CacheStatus(lookup, terms);
        if (lookup.Status is LookupStatus.Found or LookupStatus.TooLarge)
        {
            headers.Age = lookup.AgeMilliseconds < 1_000 ? "0" : (lookup.AgeMilliseconds / 1_000).ToString(CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Says that a write went to Redis.</summary>
    public static void OfWrite(IHeaderDictionary headers, bool stored)
    {
        Common(headers);
        headers["X-Cache"] = _bypass;
        headers["Cache-Status"] = stored ? "rporleans; fwd=method; stored" : "rporleans; fwd=method";
    }

    /// <summary>Whether a cache answered, in a word: <c>X-Cache</c>.</summary>
    public static StringValues Cache(in Lookup lookup, ReadTerms terms) =>
        !IsHit(lookup) ? terms.Mode == ReadMode.Bypass ? _bypass : _miss
        : lookup.Stale ? _stale
        : lookup.Status == LookupStatus.Absent ? _negative
        : _hit;

    /// <summary>How a cache dealt with a read: <c>Cache-Status</c> (RFC 9211).</summary>
    public static StringValues CacheStatus(in Lookup lookup, ReadTerms terms) =>
        !IsHit(lookup) ? Forwarded(lookup, terms)
        : lookup.Stale ? Stale(lookup, terms)
        : Hit(lookup.FreshMilliseconds / 1_000, lookup.Freshness);

    /// <summary>Whether what a cache held answered, and was as fresh as is promised.</summary>
    public static bool IsFreshHit(in Lookup lookup) => IsHit(lookup) && !lookup.Stale;

    private static bool IsHit(in Lookup lookup) => lookup is { Source: LookupSource.Cache, Status: LookupStatus.Found or LookupStatus.Absent };

    private static StringValues Hit(long secondsLeft, Freshness freshness)
    {
        var prepared = freshness == Freshness.Tracking ? _trackedHits : _expiringHits;
        return secondsLeft < prepared.Length ? prepared[secondsLeft] : HitIn(secondsLeft, freshness);
    }

    /// <summary>Redis was asked in vain, or, with <c>only-if-cached</c>, was not: then it is a hit, and its time to live may be below zero.</summary>
    private static StringValues Stale(in Lookup lookup, ReadTerms terms) =>
        terms.OnlyIfHeld ? string.Create(
            CultureInfo.InvariantCulture,
            $"rporleans; hit; ttl={Math.Floor(lookup.FreshMilliseconds / 1_000.0)}; detail={(lookup.Freshness == Freshness.Expired ? "max-stale" : "unconfirmed")}")
        : lookup.Freshness == Freshness.Expired ? _staleIfError
        : _unconfirmed;

    private static string HitIn(long secondsLeft, Freshness freshness) => string.Create(
        CultureInfo.InvariantCulture, $"rporleans; hit; ttl={secondsLeft}; detail={(freshness == Freshness.Tracking ? "tracking" : "expiry")}");

    private static string Forwarded(in Lookup lookup, ReadTerms terms) =>
        (terms.Mode == ReadMode.Normal && terms.Copies is not { MaximumAge: not null } and not { MinimumFresh: not null } ? "rporleans; fwd=uri-miss" : "rporleans; fwd=request")
        + (lookup.Source == LookupSource.Collapsed ? "; collapsed" : lookup.Stored ? "; stored" : string.Empty);

    private static void Common(IHeaderDictionary headers)
    {
        headers.CacheControl = _privateNoCache;
        headers.Vary = _vary;
        headers.XContentTypeOptions = _noSniff;
    }
}
