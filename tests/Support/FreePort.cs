using System.Net;
using System.Net.Sockets;

namespace RpOrleans.Tests.Support;

// Below the ports that Linux gives to outgoing connections: of those, one that was free a moment ago may be anybody's.

/// <summary>Loopback ports that nobody listens on.</summary>
internal static class FreePort
{
    private const int First = 10_240;
    private const int Count = 9_000;

    private static readonly Lock _lock = new();
    private static int _last = Random.Shared.Next(Count);

    /// <summary>Finds one, and not the same again in a test run before all others had their turn.</summary>
    public static int Next()
    {
        lock (_lock)
        {
            while (true)
            {
                _last = (_last + 1) % Count;
                if (IsFree(First + _last))
                {
                    return First + _last;
                }
            }
        }
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
