namespace RpOrleans.Checker;

/// <summary>How gateways are asked.</summary>
internal static class Http
{
    /// <summary>A client with connections of its own, which waits far longer than is promised, so that what is late is seen to be late.</summary>
    public static HttpClient Client() => new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false })
    {
        Timeout = TimeSpan.FromSeconds(10),
    };
}
