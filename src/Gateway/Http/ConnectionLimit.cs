using System.Text;
using Microsoft.AspNetCore.Connections;

namespace RpOrleans.Gateway.Http;

/// <summary>Lets so many connections in at once; one more is told so, instead of being cut without a word.</summary>
internal sealed class ConnectionLimit(GatewayOptions options, GatewayMetrics metrics)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    private static readonly byte[] _respAnswer = [.. "-ERR max number of clients reached\r\n"u8];

    private int _open;

    /// <summary>Connections that are open now.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Puts it in front of the port of HTTP.</summary>
    public ConnectionDelegate Http(ConnectionDelegate next) => InFrontOf(next, HttpAnswer, hears: true);

    /// <summary>Puts it in front of the port of the Redis protocol.</summary>
    public ConnectionDelegate Resp(ConnectionDelegate next) => InFrontOf(next, static _ => _respAnswer, hears: false);

    private ConnectionDelegate InFrontOf(ConnectionDelegate next, Func<string, byte[]> answer, bool hears) => async connection =>
    {
        try
        {
            if (Interlocked.Increment(ref _open) > options.MaximumClients)
            {
                metrics.Count(GatewayOutcome.Refused);
                await RefuseAsync(connection, answer(connection.ConnectionId), hears);
                return;
            }

            await next(connection);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    };

    private static byte[] HttpAnswer(string traceId)
    {
        var problem = $$"""{"title":"There are too many connections","status":503,"traceId":"{{traceId}}"}""";
        return Encoding.ASCII.GetBytes(
            $"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Type: application/problem+json\r\nConnection: close\r\nContent-Length: {problem.Length}\r\n\r\n{problem}");
    }

    private static async Task RefuseAsync(ConnectionContext connection, byte[] answer, bool hears)
    {
        using var patience = new CancellationTokenSource(_patience);
        try
        {
            if (hears)
            {
                // Read something first: closing on unread bytes would reset the connection, and the answer with it.
                var read = await connection.Transport.Input.ReadAsync(patience.Token);
                connection.Transport.Input.AdvanceTo(read.Buffer.End);
            }

            await connection.Transport.Output.WriteAsync(answer, patience.Token);
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException)
        {
            // It said nothing, or left.
        }
    }
}
