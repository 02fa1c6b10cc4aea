using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Processes;

/// <summary>A gateway with its node in front of a real Redis, which the tests of a class use one after the other; Redis is as it was at first before each.</summary>
public sealed class SharedNode : IAsyncLifetime
{
    private static readonly string[] _settings = ["tracking-table-max-keys", "1000000", "maxmemory", "0", "maxmemory-policy", "noeviction", "busy-reply-threshold", "5000"];

    private RedisServer? _redis;
    private AllInOne? _node;

    public Task InitializeAsync() => Task.CompletedTask; // what a test needs is found out, and started, in the test

    public async Task DisposeAsync()
    {
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }

        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }
    }

    /// <summary>Empties Redis, and waits until the node is ready.</summary>
    internal async Task<(RedisServer Redis, AllInOne Node)> ReadyAsync()
    {
        _redis ??= await RedisServer.StartAsync();
        _node ??= await AllInOne.StartAsync(_redis.Port);
        await _redis.CommandAsync(["CONFIG", "SET", .. _settings]);
        await _redis.CommandAsync("FLUSHALL");
        await _node.Process.ReadyAsync(TimeSpan.FromSeconds(5));
        return (_redis, _node);
    }
}
