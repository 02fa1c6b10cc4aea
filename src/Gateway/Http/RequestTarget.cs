namespace RpOrleans.Gateway.Http;

/// <summary>What a request is about.</summary>
internal enum Resource
{
    /// <summary>Nothing that is known here.</summary>
    Unknown,

    /// <summary>The target cannot be read.</summary>
    Malformed,

    /// <summary><c>/</c></summary>
    Home,

    /// <summary><c>/set</c></summary>
    Set,

    /// <summary><c>/get/{key}</c></summary>
    Get,

    /// <summary><c>/v1/keys/{key}</c></summary>
    Key,

    /// <summary><c>/v1/keys:batchGet</c></summary>
    BatchGet,
}

// The raw target, because a server's decoded path has lost what tells keys apart: an encoded slash from a plain one, bytes
// that are not UTF-8, dot segments. Decoded once and only here (RFC 3986, section 2.4); "+" is a plus, and the query is ignored.

/// <summary>The resource that a request target names (RFC 9112, section 3.2).</summary>
/// <param name="Resource">What the request is about.</param>
/// <param name="Key">The key's bytes, where there is one.</param>
internal readonly record struct RequestTarget(Resource Resource, byte[]? Key = null)
{
    private const string GetPrefix = "/get/";
    private const string KeyPrefix = "/v1/keys/";

    /// <summary>Reads a target as it stood in the request line.</summary>
    /// <param name="raw">The target.</param>
    /// <param name="nulEscape">What stands for an encoded NUL in it, <see cref="NulEscape"/>; or nothing.</param>
    public static RequestTarget Parse(ReadOnlySpan<char> raw, ReadOnlySpan<char> nulEscape = default)
    {
        var path = PathOf(raw);
        if (path.StartsWith(GetPrefix, StringComparison.Ordinal))
        {
            return ParseKey(Resource.Get, path[GetPrefix.Length..], nulEscape);
        }

        if (path.StartsWith(KeyPrefix, StringComparison.Ordinal))
        {
            return ParseKey(Resource.Key, path[KeyPrefix.Length..], nulEscape);
        }

        return new(path switch
        {
            "/" => Resource.Home,
            "/set" => Resource.Set,
            "/v1/keys:batchGet" => Resource.BatchGet,
            _ => Resource.Unknown,
        });
    }

    /// <summary>The query of a target, with its question mark; empty when it has none.</summary>
    public static ReadOnlySpan<char> QueryOf(ReadOnlySpan<char> raw) =>
        raw.IndexOf('?') is >= 0 and var mark ? raw[mark..] : default;

    private static ReadOnlySpan<char> PathOf(ReadOnlySpan<char> raw)
    {
        if (raw.IndexOf('?') is >= 0 and var mark)
        {
            raw = raw[..mark];
        }

        // Absolute form: scheme and authority say nothing that is needed here.
        if (raw.Length > 0 && raw[0] != '/' && raw.IndexOf("://", StringComparison.Ordinal) is >= 0 and var scheme)
        {
            var rest = raw[(scheme + 3)..];
            return rest.IndexOf('/') is >= 0 and var slash ? rest[slash..] : "/";
        }

        return raw;
    }

    private static RequestTarget ParseKey(Resource resource, ReadOnlySpan<char> encoded, ReadOnlySpan<char> nulEscape)
    {
        if (encoded.IsEmpty || encoded.Contains('/'))
        {
            return new(Resource.Unknown);
        }

        return PercentEncoding.TryDecode(encoded, nulEscape, out var key) ? new(resource, key) : new(Resource.Malformed);
    }
}
