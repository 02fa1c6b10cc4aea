using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace RpOrleans.Grains.Admin;

/// <summary>Where an HTTP port listens.</summary>
internal static class Listening
{
    /// <summary>The first admin port that is tried when none is set.</summary>
    public const int FirstAdminPort = 8081;

    /// <summary>Listens on a host by name or address; <c>localhost</c> is both loopback addresses.</summary>
    public static void ListenOn(this KestrelServerOptions kestrel, string host, int port, Action<ListenOptions> configure)
    {
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
        {
            kestrel.ListenLocalhost(port, configure);
        }
        else
        {
            kestrel.Listen(AddressOf(host), port, configure);
        }
    }

    /// <summary>The address that a host name or address stands for.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The name is not known.</exception>
    public static IPAddress AddressOf(string host) =>
        IPAddress.TryParse(host, out var address) ? address
        : host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback
        : Dns.GetHostAddresses(host)[0];
}
