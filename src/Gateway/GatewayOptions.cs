using System.ComponentModel.DataAnnotations;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway;

/// <summary>Where a gateway listens, and how many it lets in.</summary>
public sealed class GatewayOptions
{
    /// <summary>The address that HTTP listens on. Default: <c>localhost</c>.</summary>
    [Setting("HOST_NAME")]
    public string Host { get; set; } = "localhost";

    /// <summary>The port of HTTP. Default: 8080.</summary>
    [Setting("SERVER_PORT"), Range(1, 65535)]
    public int Port { get; set; } = 8080;

    /// <summary>Connections at once; one more is told that there are too many. Default: 10,000.</summary>
    [Setting("MAX_CLIENTS"), Range(1, 1_000_000)]
    public int MaximumClients { get; set; } = 10_000;

    /// <summary>Lets anybody in who reaches the port. Needed to listen on anything but loopback. Default: false.</summary>
    [Setting("ALLOW_ANONYMOUS")]
    public bool AllowAnonymous { get; set; }
}
