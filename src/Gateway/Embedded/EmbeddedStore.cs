using Garnet;
using Microsoft.Extensions.Logging.Abstractions;

namespace RpOrleans.Gateway.Embedded;

/// <summary>A Redis-compatible store in this process (Microsoft Garnet), for trying RpOrleans without installing anything. Reachable on loopback only; it forgets everything when the process ends.</summary>
internal sealed class EmbeddedStore : IDisposable
{
    private readonly GarnetServer _server;

    private EmbeddedStore(GarnetServer server) => _server = server;

    /// <summary>Starts it on a loopback port.</summary>
    public static EmbeddedStore Start(int port)
    {
        var server = new GarnetServer(
            ["--port", $"{port}", "--bind", "127.0.0.1", "--memory", "512m", "--index", "16m", "--page", "4m", "-q", "true"], NullLoggerFactory.Instance);
        server.Start();
        return new EmbeddedStore(server);
    }

    public void Dispose() => _server.Dispose();
}
