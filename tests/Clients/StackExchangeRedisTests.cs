using System.Globalization;
using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;
using StackExchange.Redis;

namespace RpOrleans.Tests.Clients;

/// <summary>StackExchange.Redis in front of a gateway that is killed on the way.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class StackExchangeRedisTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private RedisServer _redis = null!;
    private NodeProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _gateway = (await AllInOne.StartAsync(_redis.Port)).Process;
        await _gateway.ReadyAsync(ClusterFixture.StartPatience);
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [SkippableTheory]
    [InlineData(RedisProtocol.Resp2)]
    [InlineData(RedisProtocol.Resp3)]
    public async Task StackExchangeRedisIsServedAndFindsTheNextGateway(RedisProtocol protocol)
    {
        await using var client = await ConnectAsync(protocol);
        await using var other = await ConnectAsync(protocol);
        var database = client.GetDatabase();

        await ReadAndWriteAsync(database);
        await PipelineAsync(database);
        await TransactionAsync(database);
        await BlockingPopAsync(database, other.GetDatabase());
        await ScriptAsync(database);
        Assert.Equal(500, await client.GetServer(client.GetEndPoints()[0]).KeysAsync(pattern: "pipelined:*", pageSize: 100).Distinct().CountAsync());

        var heard = Channel(out var hear);
        await client.GetSubscriber().SubscribeAsync(RedisChannel.Literal("channel"), (_, message) => hear(message!));
        Assert.Equal(1, await database.PublishAsync(RedisChannel.Literal("channel"), "news"));
        Assert.Equal("news", await heard.Task.WaitAsync(_patience));

        await _gateway.KillAsync();
        _gateway = await _gateway.StartAgainAsync();
        await _gateway.ReadyAsync(ClusterFixture.StartPatience);

        await Eventually.TrueAsync(() => SaysAsync(async () => await database.StringGetAsync("key") == "scripted"), _patience, "a read is answered");
        heard = Channel(out hear);
        await Eventually.TrueAsync(
            () => SaysAsync(async () => await database.PublishAsync(RedisChannel.Literal("channel"), "back") == 1), _patience, "it has subscribed again");
        Assert.Equal("back", await heard.Task.WaitAsync(_patience));
    }

    private static async Task ReadAndWriteAsync(IDatabase database)
    {
        Assert.True(await database.StringSetAsync("key", "value"));
        Assert.Equal("value", await database.StringGetAsync("key"));
        Assert.Equal("value", await database.StringGetAsync("key"));
        Assert.True((await database.StringGetAsync("nobody")).IsNull);
        Assert.Equal(["value", RedisValue.Null], await database.StringGetAsync(["key", "nobody"]));
        await database.HashSetAsync("user", [new("name", "Ada")]);
        Assert.Equal("Ada", (await database.HashGetAllAsync("user")).Single().Value);
    }

    private static async Task PipelineAsync(IDatabase database)
    {
        var replies = Enumerable.Range(0, 500).Select(i => (Set: database.StringSetAsync($"pipelined:{i}", i), Get: database.StringGetAsync($"pipelined:{i}"))).ToList();
        for (var i = 0; i < replies.Count; i++)
        {
            Assert.True(await replies[i].Set);
            Assert.Equal(i, await replies[i].Get);
        }
    }

    private static async Task TransactionAsync(IDatabase database)
    {
        await database.StringSetAsync("counter", 1);
        foreach (var (expected, carriedOut) in new[] { (1, true), (1, false) })
        {
            var transaction = database.CreateTransaction();
            transaction.AddCondition(Condition.StringEqual("counter", expected)); // by WATCH
            var incremented = transaction.StringIncrementAsync("counter");
            Assert.Equal(carriedOut, await transaction.ExecuteAsync());
            Assert.Equal(carriedOut, incremented.IsCompletedSuccessfully);
            Assert.Equal(2, await database.StringGetAsync("counter"));
        }
    }

    // The library has no blocking pop, as all share a connection; but it sends what one wants.
    private static async Task BlockingPopAsync(IDatabase database, IDatabase other)
    {
        var job = other.ExecuteAsync("BLPOP", "queue", 10);
        await database.ListRightPushAsync("queue", "job");
        Assert.Equal("queue job", string.Join(' ', (string?[]?)await job ?? []));
    }

    private static async Task ScriptAsync(IDatabase database)
    {
        for (var i = 0; i < 2; i++) // by EVAL, and then by EVALSHA
        {
            Assert.Equal("scripted", (string?)await database.ScriptEvaluateAsync("redis.call('SET', KEYS[1], ARGV[1]); return ARGV[1]", ["key"], ["scripted"]));
            Assert.Equal("scripted", await database.StringGetAsync("key"));
        }
    }

    private static TaskCompletionSource<string> Channel(out Action<string> hear)
    {
        var heard = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        hear = message => heard.TrySetResult(message);
        return heard;
    }

    /// <summary>While it connects again, the library says so by an exception.</summary>
    private static async Task<bool> SaysAsync(Func<Task<bool>> claim)
    {
        try
        {
            return await claim();
        }
        catch (Exception away) when (away is RedisConnectionException or RedisTimeoutException)
        {
            return false;
        }
    }

    private async Task<ConnectionMultiplexer> ConnectAsync(RedisProtocol protocol) => await ConnectionMultiplexer.ConnectAsync(new ConfigurationOptions
    {
        EndPoints = { { "127.0.0.1", int.Parse(_gateway.Settings["RESP_PORT"], CultureInfo.InvariantCulture) } },
        Protocol = protocol,
        ReconnectRetryPolicy = new LinearRetry(100),
        ConnectTimeout = (int)_patience.TotalMilliseconds,
        AsyncTimeout = (int)_patience.TotalMilliseconds,
    });
}
