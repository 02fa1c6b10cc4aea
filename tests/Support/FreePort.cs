using System.Net;
using System.Net.Sockets;

namespace RpOrleans.Tests.Support;

/// <summary>Loopback ports that nobody listens on.</summary>
internal static class FreePort
{
    private static readonly HashSet<int> _given = [];

    /// <summary>Finds one, and never the same twice in a test run.</summary>
    public static int Next()
    {
        lock (_given)
        {
            while (true)
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                var port = ((IPEndPoint)socket.LocalEndPoint!).Port;
                if (_given.Add(port))
                {
                    return port;
                }
            }
        }
    }
}
