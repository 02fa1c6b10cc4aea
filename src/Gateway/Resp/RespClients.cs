using System.Collections.Concurrent;

namespace RpOrleans.Gateway.Resp;

/// <summary>Everybody who is connected.</summary>
internal sealed class RespClients(TimeProvider time, GatewayOptions options) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<long, RespClient> _clients = new();
    private long _last;
    private volatile bool _leaving;

    /// <summary>All of them, the oldest first.</summary>
    public IEnumerable<RespClient> All => _clients.Values.OrderBy(client => client.Id);

    /// <summary>Whether each is to leave with its next answer.</summary>
    public bool Leaving => _leaving;

    /// <summary>Has all leave, between two requests and not within a transaction: at once those who have nothing under way, and others with their next answer.</summary>
    public void Leave()
    {
        _leaving = true;
        foreach (var client in _clients.Values)
        {
            client.Wake();
        }
    }

    /// <summary>Closes the connections of those who are still there and are owed no answer, or one that may never come.</summary>
    public void AbortIdle()
    {
        foreach (var client in _clients.Values.Where(client => !client.Answered || client.BlockedAs != 0))
        {
            client.Abort();
        }
    }

    /// <summary>A number for one that comes.</summary>
    public long NextId() => Interlocked.Increment(ref _last);

    public void Add(RespClient client) => _clients[client.Id] = client;

    public void Remove(RespClient client) => _clients.TryRemove(client.Id, out _);

    public RespClient? Find(long id) => _clients.GetValueOrDefault(id);

    // One timer for all: a timer for each costs memory, and most clients do nothing at all.
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(_period, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var client in _clients.Values)
            {
                if (client.Overdue() || (options.RespIdleTimeout > TimeSpan.Zero && IsIdle(client)))
                {
                    client.Abort();
                }
            }
        }
    }

    private bool IsIdle(RespClient client) =>
        !client.Subscribed && !client.Fed && client.BlockedAs == 0 && time.GetElapsedTime(client.ActiveAt) > options.RespIdleTimeout;
}
