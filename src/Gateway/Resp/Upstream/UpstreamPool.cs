using System.Collections.Concurrent;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Resp.Upstream;

// A client has a connection to itself from the command that it passes to Redis until the reply, and longer where Redis keeps a
// state for it. So nobody waits for somebody else's reply, and a client that reads slowly holds up itself alone.

/// <summary>The connections to Redis for what clients pass through.</summary>
internal sealed class UpstreamPool(RedisOptions options, RedisAddress address, TimeProvider time) : IDisposable
{
    /// <summary>So many connections are kept that nobody uses, for each version of the protocol.</summary>
    private const int IdleAtMost = 64;

    private readonly ConcurrentStack<UpstreamConnection>[] _idle = [new(), new()];

    private readonly SharedUpstream?[] _shared = [null, null];

    /// <summary>The scripts that clients wait for.</summary>
    public RunningScripts Scripts { get; } = new(time);

    /// <summary>The version that Redis gave itself last.</summary>
    public string? Version { get; private set; }

    /// <summary>A connection on which nothing is under way.</summary>
    /// <exception cref="OriginException">There is none.</exception>
    public async ValueTask<UpstreamConnection> RentAsync(int protocol)
    {
        var server = address.Current ?? throw new OriginException(OriginFault.Unreachable);
        while (_idle[protocol - 2].TryPop(out var idle))
        {
            if (idle.Server == server && !idle.IsStale)
            {
                return idle;
            }

            idle.Dispose();
        }

        return await OpenAsync(protocol).ConfigureAwait(false);
    }

    /// <summary>A new connection, of somebody's who will not give it back.</summary>
    /// <exception cref="OriginException">There is none.</exception>
    public async ValueTask<UpstreamConnection> OpenAsync(int protocol)
    {
        var server = address.Current ?? throw new OriginException(OriginFault.Unreachable);
        var opened = await UpstreamConnection.OpenAsync(options, server, protocol, RedisClient.ConnectTimeout).ConfigureAwait(false);
        Version = opened.Version ?? Version;
        return opened;
    }

    /// <summary>The connection for short commands of all clients who speak a version of the protocol.</summary>
    public SharedUpstream Shared(int protocol) =>
        LazyInitializer.EnsureInitialized(ref _shared[protocol - 2], () => new SharedUpstream(() => RentAsync(protocol), connection => connection.Server == address.Current));

    /// <summary>Takes a connection back on which every command has been answered, and that has no state of its own.</summary>
    public void Return(UpstreamConnection connection)
    {
        if (_idle[connection.Protocol - 2].Count < IdleAtMost)
        {
            _idle[connection.Protocol - 2].Push(connection);
        }
        else
        {
            connection.Dispose();
        }
    }

    /// <summary>Asks Redis something for the gateway itself.</summary>
    /// <param name="ask">Does so, on a connection that nobody else uses meanwhile.</param>
    /// <exception cref="OriginException">There is no connection, or no answer.</exception>
    public async Task<T> UseAsync<T>(Func<UpstreamConnection, Task<T>> ask)
    {
        var connection = await RentAsync(2).ConfigureAwait(false);
        try
        {
            var answer = await ask(connection).ConfigureAwait(false);
            Return(connection);
            return answer;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Sees to it that <see cref="Version"/> is known, if the server can be reached.</summary>
    public async ValueTask KnowVersionAsync()
    {
        if (Version is null)
        {
            try
            {
                Return(await RentAsync(2).ConfigureAwait(false));
            }
            catch (OriginException)
            {
                // It stays unknown.
            }
        }
    }

    /// <summary>Ends the waiting of a client.</summary>
    /// <param name="id">By which number Redis knows its connection.</param>
    /// <param name="withError">Whether it is told so by an error.</param>
    /// <returns>How many were waiting; 0 where Redis cannot be asked.</returns>
    public async Task<long> UnblockAsync(long id, bool withError)
    {
        try
        {
            string[] command = ["CLIENT", "UNBLOCK", $"{id}", withError ? "ERROR" : "TIMEOUT"];
            return (await UseAsync(connection => connection.AskAsync(CancellationToken.None, command).AsTask()).ConfigureAwait(false)).Number;
        }
        catch (OriginException)
        {
            return 0;
        }
    }

    public void Dispose()
    {
        Array.ForEach(_shared, shared => shared?.Dispose());
        foreach (var connection in _idle.SelectMany(idle => idle))
        {
            connection.Dispose();
        }
    }
}
