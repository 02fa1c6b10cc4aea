using Microsoft.AspNetCore.Connections;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Gateway.Resp;

/// <summary>The port of the Redis protocol.</summary>
internal sealed class RespFront(RespServices services) : ConnectionHandler
{
    /// <summary>Serves one client.</summary>
    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        await using var session = new RespSession(connection, services);
        services.Clients.Add(session.Client);
        try
        {
            await session.RunAsync().ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is ConnectionAbortedException or ConnectionResetException or IOException or OperationCanceledException)
        {
            // The client left, or was sent away.
        }
        catch (OriginException)
        {
            connection.Abort(); // a reply that was begun cannot be ended, or a transaction is lost
        }
        finally
        {
            services.Clients.Remove(session.Client);
        }
    }
}
