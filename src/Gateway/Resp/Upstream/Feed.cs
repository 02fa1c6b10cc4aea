using RpOrleans.Grains.Origin;

namespace RpOrleans.Gateway.Resp.Upstream;

// After MONITOR and SYNC what Redis sends is no reply to anything, and a replica is sent bytes that are not even of the
// protocol. So they go on as they come, no faster than the client takes them, and nobody else writes to it meanwhile.

/// <summary>A connection to Redis that hands on to one client all that goes on there: to a monitor, or to a replica.</summary>
internal sealed class Feed : IAsyncDisposable
{
    private readonly UpstreamConnection _connection;
    private readonly ReplyOutput _output;
    private readonly Action _wake;
    private readonly Task _sending;
    private volatile bool _disposed;

    private Feed(UpstreamConnection connection, ReplyOutput output, Action wake)
    {
        (_connection, _output, _wake) = (connection, output, wake);
        _sending = Task.Run(SendOnAsync);
    }

    /// <summary>Whether nothing more will come.</summary>
    public bool Ended { get; private set; }

    /// <summary>Has Redis begin.</summary>
    /// <param name="connection">A connection to it, which is used up.</param>
    /// <param name="command">What is to be sent first.</param>
    /// <param name="output">To the client.</param>
    /// <param name="wake">Called when it has ended.</param>
    /// <returns>It; <see langword="null"/> when Redis refused, and the client has been told so.</returns>
    /// <exception cref="OriginException">The connection is lost.</exception>
    public static async Task<Feed?> BeginAsync(UpstreamConnection connection, ReadOnlyMemory<byte> command, ReplyOutput output, Action wake)
    {
        try
        {
            await connection.SendAsync(command).ConfigureAwait(false);
            if (await connection.MoveAnythingAsync(output).ConfigureAwait(false) != '-')
            {
                return new Feed(connection, output, wake);
            }

            connection.Dispose();
            return null;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Says something to Redis.</summary>
    /// <exception cref="OriginException">The connection is lost.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> command) => _connection.SendAsync(command);

    /// <summary>Ends it; the client is sent nothing more when this is done.</summary>
    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        _connection.Dispose();
        await _sending.ConfigureAwait(false);
    }

    private async Task SendOnAsync()
    {
        try
        {
            while (await _output.FlushAsync().ConfigureAwait(false))
            {
                await _connection.MoveAnythingAsync(_output).ConfigureAwait(false);
            }
        }
        catch (Exception end) when (end is OriginException or IOException or OperationCanceledException or ObjectDisposedException || _disposed)
        {
            // It has ended, on this side or on that one.
        }

        Ended = true;
        _wake();
    }
}
