using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Coherence;

/// <summary>A master, its replica, and sentinels that make the one into the other, seen over HTTP.</summary>
[Collection(ProcessesCollection.Name)]
[Trait(Beside.Name, Beside.Others)]
public sealed class SentinelTests(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60); // no promise of ours: sentinels that got no processor for two seconds sit still for thirty (their tilt mode)
    private static readonly TimeSpan _soon = TimeSpan.FromMilliseconds(250);

    private readonly List<RedisServer> _sentinels = [];
    private RedisServer _one = null!;
    private RedisServer _other = null!;
    private AllInOne? _node;

    public async Task InitializeAsync()
    {
        _one = await RedisServer.StartAsync();
        _other = await RedisServer.StartAsync(null, null, "--replicaof", $"127.0.0.1 {_one.Port}");
        await Eventually.TrueAsync(async () => (await _other.CommandAsync("INFO", "replication")).Contains("master_link_status:up"), _patience, "the replica follows");
    }

    public async Task DisposeAsync()
    {
        if (_node is not null)
        {
            output.WriteLine(_node.Process.TakeReport());
            await _node.DisposeAsync();
        }

        foreach (var server in _sentinels.Append(_one).Append(_other))
        {
            await server.DisposeAsync();
        }
    }

    [SkippableFact]
    public async Task FailoverOnRequestIsFollowed()
    {
        await StartAsync(sentinels: 1);
        await _node!.Client.PutAsync("key", "old");
        await HeldAsync("key");

        Assert.Equal("+OK", await _sentinels[0].CommandAsync("SENTINEL", "FAILOVER", "mymaster"));

        await MasterIsAsync(_other);
        await FollowsAsync(_other);
        Assert.Contains($"127.0.0.1:{_other.Port} as the master", _node.Process.Output);
    }

    [SkippableFact]
    public async Task MasterThatIsKilledIsReplacedByWhomMostSentinelsName()
    {
        await StartAsync(sentinels: 3);
        await _node!.Client.PutAsync("key", "old");
        await HeldAsync("key");

        await _one.KillAsync();

        await MasterIsAsync(_other);
        await FollowsAsync(_other);
    }

    [SkippableFact]
    public async Task WhatTheNewMasterDoesNotHaveIsNotServedAsFresh()
    {
        await StartAsync(sentinels: 1);
        _other.Pause(); // so that it misses the write, and does not connect again to hear of it
        await _one.CommandAsync("CLIENT", "KILL", "TYPE", "replica");
        await _one.CommandAsync("SET", "key", "only on the old one");
        await HeldAsync("key");

        await _one.KillAsync();
        _other.Resume();
        await Task.Delay(TimeSpan.FromSeconds(0.5)); // COHERENCE_BOUND
        Assert.NotEqual("HIT", (await _node!.Client.GetAsync("key")).Cache);

        await MasterIsAsync(_other);
        await Eventually.TrueAsync(async () => (await _node.Client.GetAsync("key")).Status == 404, _patience, "the key is absent");
        await Eventually.TrueAsync(
            async () => await _node.Client.GetAsync("key") is { Status: 404 } absent && absent.Cache == "NEGATIVE", _patience, "absence is remembered once the link is there again");
        await FollowsAsync(_other);
    }

    [SkippableFact]
    public async Task OldMasterThatComesBackAsItWasIsNotReturnedTo()
    {
        await StartAsync(sentinels: 1);
        _one.Pause();
        await MasterIsAsync(_other);
        await FollowsAsync(_other);

        _one.Resume(); // until a sentinel tells it, it takes itself for the master

        for (var i = 0; i < 20; i++)
        {
            await FollowsAsync(_other);
            await Task.Delay(50);
        }
    }

    [SkippableFact]
    public async Task SentinelsThatAreGoneAreNotMissed()
    {
        await StartAsync(sentinels: 1);
        await _sentinels[0].KillAsync();
        await Eventually.TrueAsync(() => Task.FromResult(_node!.Process.Output.Contains("No sentinel names a master (a sentinel cannot be asked")), _patience, "it is said");

        await FollowsAsync(_one);
        Assert.True(await _node!.Process.IsReadyAsync());
    }

    [SkippableTheory]
    [InlineData("mymaster", "wrong", "a sentinel cannot be asked: Refused")]
    [InlineData("nobody", "secret", "a sentinel does not know this master")]
    public async Task SentinelThatNamesNobodyIsSaid(string master, string password, string reason)
    {
        _sentinels.Add(await RedisServer.StartSentinelAsync(_one.Port, 1, "secret"));
        _node = await AllInOne.StartAsync(("REDIS_SENTINEL", $"{master}@127.0.0.1:{_sentinels[0].Port}"), ("REDIS_SENTINEL_PASSWORD", password));

        await _node.AnswersAsync(503, "key", _patience);
        await Eventually.TrueAsync(() => Task.FromResult(_node.Process.Output.Contains(reason)), _patience, "it is said");
        Assert.Contains("Redis cannot be reached", (await _node.Process.AdminAsync("/readyz")).Body);
        Assert.DoesNotContain("secret", _node.Process.Output);
    }

    private async Task StartAsync(int sentinels)
    {
        for (var i = 0; i < sentinels; i++)
        {
            _sentinels.Add(await RedisServer.StartSentinelAsync(_one.Port, (sentinels / 2) + 1, "secret"));
        }

        await Eventually.TrueAsync(
            async () =>
            {
                foreach (var sentinel in _sentinels)
                {
                    var known = await sentinel.CommandAsync("INFO", "sentinel");
                    if (!known.Contains($"slaves=1,sentinels={sentinels}"))
                    {
                        return false;
                    }
                }

                return true;
            },
            _patience,
            "the sentinels know the replica and each other");
        _node = await AllInOne.StartAsync(
            ("REDIS_SENTINEL", $"mymaster@{string.Join(',', _sentinels.Select(sentinel => $"127.0.0.1:{sentinel.Port}"))}"), ("REDIS_SENTINEL_PASSWORD", "secret"));
        await _node.Process.ReadyAsync(_patience);
    }

    private static Task<TimeSpan> MasterIsAsync(RedisServer server) => Eventually.TrueAsync(
        async () =>
        {
            try
            {
                return (await server.CommandAsync("INFO", "replication")).Contains("role:master");
            }
            catch (IOException)
            {
                return false; // a sentinel that promotes it closes its clients' connections
            }
        },
        _patience,
        "the replica is promoted");

    /// <summary>Writes through the gateway reach the server, and what is written there by others is seen.</summary>
    private async Task FollowsAsync(RedisServer server)
    {
        var value = Guid.NewGuid().ToString("N");
        await Eventually.TrueAsync(
            async () => (await _node!.Client.PutAsync("key", value)).Status == 204 && await server.CommandAsync("GET", "key") == value, _patience, "a write arrives at the master");
        await HeldAsync("key");
        await server.CommandAsync("SET", "key", "from outside");
        await Eventually.TrueAsync(async () => (await _node!.Client.GetAsync("key")).Body == "from outside", _soon, "an outside write is seen");
    }

    private async Task HeldAsync(string key) => await Eventually.TrueAsync(
        async () => (await _node!.Client.GetAsync(key)) is { Cache: "HIT" } hit && hit.CacheStatus!.EndsWith("detail=tracking", StringComparison.Ordinal),
        _patience,
        "the key is held and tracked");
}
