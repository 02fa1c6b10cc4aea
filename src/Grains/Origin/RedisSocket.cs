using System.Net.Sockets;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Grains.Origin;

/// <summary>Connections to Redis of our own, beside the client library's.</summary>
internal static class RedisSocket
{
    /// <summary>Connects, over TLS where Redis is reached so.</summary>
    /// <param name="options">How.</param>
    /// <param name="server">Where to.</param>
    /// <param name="atMost">How long it may take.</param>
    /// <returns>The socket, and what to talk over.</returns>
    /// <exception cref="OriginException">There is no connection.</exception>
    public static async Task<(Socket Socket, Stream Stream)> OpenAsync(RedisOptions options, Server server, TimeSpan atMost)
    {
        using var patience = new CancellationTokenSource(atMost);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server.Host.Trim('[', ']'), server.Port, patience.Token).ConfigureAwait(false);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            return (socket, options.UsesTls ? await RedisTls.AuthenticateAsync(stream, server.Host, options, atMost).ConfigureAwait(false) : stream);
        }
        catch (Exception failure)
        {
            socket.Dispose();
            throw Translate(failure);
        }
    }

    /// <summary>What a failure of such a connection means.</summary>
    /// <param name="failure">What was thrown.</param>
    /// <param name="outcomeUnknown">Whether something was sent that may have been carried out.</param>
    public static Exception Translate(Exception failure, bool outcomeUnknown = false) => failure switch
    {
        OperationCanceledException => new OriginException(OriginFault.TimedOut, outcomeUnknown, failure),
        SocketException or IOException or ObjectDisposedException => new OriginException(OriginFault.Unreachable, outcomeUnknown, failure),
        _ => failure,
    };
}
