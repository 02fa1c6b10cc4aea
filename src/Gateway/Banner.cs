namespace RpOrleans.Gateway;

/// <summary>The first lines: where it listens, and what to try.</summary>
internal static class Banner
{
    /// <summary>Prints them.</summary>
    public static void Print(GatewaySettings settings, int adminPort)
    {
        var host = settings.Gateway.Host is "0.0.0.0" or "::" or "[::]" ? "localhost" : settings.Gateway.Host;
        var url = $"http://{host}:{settings.Gateway.Port}";
        Console.WriteLine($"RpOrleans gateway: {url} (health and figures: http://{settings.Admin.Host}:{adminPort}/readyz and /stats)");
        Console.WriteLine(settings.OneProcess
            ? settings.Redis.Embedded
                ? "  one process: a cache node and an embedded store (Garnet) inside; set REDIS_HOST to cache a Redis of yours"
                : $"  one process: a cache node inside, in front of {settings.Redis.Description}"
            : $"  cluster {settings.Clustering.ClusterId}, nodes from {settings.Clustering.MembershipRedis}");
        Console.WriteLine($"  try: curl -d '{{\"k\": \"hello\", \"v\": \"world\"}}' {url}/set");
        Console.WriteLine($"       curl {url}/get/hello");
        if (settings.Gateway.RespPort != 0)
        {
            Console.WriteLine($"       redis-cli {(host == "localhost" ? "" : $"-h {host} ")}-p {settings.Gateway.RespPort} get hello");
        }

        foreach (var warning in settings.Warnings)
        {
            Console.WriteLine($"  note: {warning}");
        }
    }
}
