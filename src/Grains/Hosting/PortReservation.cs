using System.Net;
using System.Net.Sockets;

namespace RpOrleans.Grains.Hosting;

// Between finding a port free and listening on it another process can find it free too. Where the operating system has
// abstract socket names (Linux), a port is therefore reserved by binding one: it succeeds in one process only, and the name
// goes with the process, however it ends. Elsewhere the port is only looked at.

/// <summary>Finds the next free port, and keeps it from other processes of this kind until this one ends.</summary>
internal sealed class PortReservation : IDisposable
{
    /// <summary>Where ports of nobody's choosing are looked for: below those that systems give to outgoing connections, any of which could take one at any moment.</summary>
    private const int FirstOfNoChoosing = 20_000;
    private const int LastOfNoChoosing = 30_000;

    private readonly List<Socket> _names = [];

    /// <summary>The first port from <paramref name="first"/> that is free on the address.</summary>
    /// <exception cref="InvalidOperationException">None is.</exception>
    public int NextFree(IPAddress address, int first)
    {
        for (var port = first; port <= Math.Min(first + 1_000, IPEndPoint.MaxPort); port++)
        {
            if (Reserve(port) && IsFree(address, port))
            {
                return port;
            }
        }

        throw new InvalidOperationException($"No port from {first} on is free.");
    }

    /// <summary>A free loopback port that nobody needs to know.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public int Any() => NextFree(IPAddress.Loopback, Random.Shared.Next(FirstOfNoChoosing, LastOfNoChoosing));

    public void Dispose() => _names.ForEach(name => name.Dispose());

    private bool Reserve(int port)
    {
        if (!OperatingSystem.IsLinux())
        {
            return true;
        }

        var name = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            name.Bind(new UnixDomainSocketEndPoint($"\0rporleans-port-{port}"));
        }
        catch (SocketException)
        {
            name.Dispose();
            return false;
        }

        _names.Add(name); // also that of a port which turns out to be taken: it would be looked at again for nothing
        return true;
    }

    private static bool IsFree(IPAddress address, int port)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
