using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace RpOrleans.Tests.Support;

// Below the ports that Linux gives to outgoing connections: of those, one that was free a moment ago may be anybody's. Each process has
// a range of its own, by a file that it keeps locked: what was free for one may be what another is about to start a server on.

/// <summary>Loopback ports that nobody listens on.</summary>
internal static class FreePort
{
    private const int Lowest = 10_240;
    private const int Count = 600;
    private const int Ranges = 15;

    private static readonly Lock _lock = new();
    private static readonly (FileStream File, int First) _range = Take();
    private static int _last;

    /// <summary>Finds one, and not the same again in a test run before all others had their turn.</summary>
    public static int Next()
    {
        lock (_lock)
        {
            while (true)
            {
                _last = (_last + 1) % Count;
                if (IsFree(_range.First + _last))
                {
                    return _range.First + _last;
                }
            }
        }
    }

    private static (FileStream File, int First) Take()
    {
        for (var waited = Stopwatch.StartNew(); ;)
        {
            for (var range = 0; range < Ranges; range++)
            {
                try
                {
                    var first = Lowest + (range * Count);
                    return (new FileStream(Path.Combine(Path.GetTempPath(), $"rporleans-ports-{Environment.UserName}-{first}"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None), first);
                }
                catch (IOException)
                {
                    // Another process has it.
                }
            }

            if (waited.Elapsed > TimeSpan.FromMinutes(1))
            {
                throw new InvalidOperationException($"{Ranges} processes have ports for tests already.");
            }

            Thread.Sleep(100); // until one of them has ended, of which no file tells
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
