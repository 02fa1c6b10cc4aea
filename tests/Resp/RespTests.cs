using System.Globalization;
using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Resp;

/// <summary>The Redis protocol in front of a real Redis, byte for byte.</summary>
[Collection(ProcessesCollection.Name)]
[Trait(Beside.Name, Beside.Others)]
public sealed class RespTests(SharedNode shared, ITestOutputHelper output) : IClassFixture<SharedNode>, IAsyncLifetime
{
    private RedisServer _redis = null!;
    private AllInOne _gateway = null!;
    private RespSocket _client = null!;

    public async Task InitializeAsync()
    {
        (_redis, _gateway) = await shared.ReadyAsync();
        _client = await ConnectAsync();
    }

    public Task DisposeAsync()
    {
        output.WriteLine(_gateway.Process.TakeReport());
        _client.Dispose();
        return Task.CompletedTask;
    }

    [SkippableFact]
    public async Task WhatIsReadIsHeldForBothFaces()
    {
        await _redis.CommandAsync("SET", "key", "value");
        await SaysAsync("$5\r\nvalue\r\n", "GET", "key");

        Assert.Equal("HIT", (await _gateway.Client.GetAsync("key")).Cache);
        await SaysAsync("$5\r\nvalue\r\n", "GET", "key");
    }

    [SkippableFact]
    public async Task ReadsAreAnsweredAsRedisDoes()
    {
        await _redis.CommandAsync("SET", "key", "0123456789");
        await _redis.CommandAsync("LPUSH", "list", "item");

        await SaysAsync("$-1\r\n", "GET", "nobody");
        await SaysAsync("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", "GET", "list");
        await SaysAsync("*3\r\n$10\r\n0123456789\r\n$-1\r\n$-1\r\n", "MGET", "key", "nobody", "list");
        await SaysAsync(":3\r\n", "EXISTS", "key", "nobody", "list", "key");
        await SaysAsync(":10\r\n", "STRLEN", "key");
        await SaysAsync("$3\r\n789\r\n", "GETRANGE", "key", "-3", "-1");
        await SaysAsync("$0\r\n\r\n", "SUBSTR", "key", "5", "1");
        await SaysAsync("-ERR value is not an integer or out of range\r\n", "GETRANGE", "key", "a", "1");
        await SaysAsync("-ERR wrong number of arguments for 'get' command\r\n", "GET");
    }

    [SkippableFact]
    public async Task AWriteThatIsAcknowledgedIsSeenByTheNextRead()
    {
        for (var i = 0; i < 200; i++)
        {
            await SaysAsync("+OK\r\n", "SET", "key", i.ToString("D4", CultureInfo.InvariantCulture));
            Assert.Equal($"{i:D4}", (await _gateway.Client.GetAsync("key")).Body);
            await SaysAsync($"$4\r\n{i:D4}\r\n", "GET", "key");
        }
    }

    [SkippableFact]
    public async Task PipelineIsAnsweredInOrder()
    {
        var sent = string.Concat(Enumerable.Range(0, 300).Select(i => RespSocket.Command("SET", "key", $"{i}") + RespSocket.Command("GET", "key") + RespSocket.Command("PING")));
        var expected = string.Concat(Enumerable.Range(0, 300).Select(i => $"+OK\r\n${$"{i}".Length}\r\n{i}\r\n+PONG\r\n"));

        await _client.SendAsync(sent);

        await HearsAsync(expected);
    }

    [SkippableFact]
    public async Task TransactionIsRedissOwnAndItsWritesAreSeen()
    {
        await SaysAsync("+OK\r\n", "SET", "key", "old");
        await SaysAsync("$3\r\nold\r\n", "GET", "key");
        await SaysAsync("+OK\r\n", "WATCH", "key");
        await SaysAsync("+OK\r\n", "MULTI");
        await SaysAsync("+QUEUED\r\n", "SET", "key", "new");
        await SaysAsync("+QUEUED\r\n", "GET", "key");
        await SaysAsync("*2\r\n+OK\r\n$3\r\nnew\r\n", "EXEC");
        await SaysAsync("$3\r\nnew\r\n", "GET", "key");

        await SaysAsync("+OK\r\n", "WATCH", "key");
        await _redis.CommandAsync("SET", "key", "newer");
        await SaysAsync("+OK\r\n", "MULTI");
        await SaysAsync("+QUEUED\r\n", "SET", "key", "lost");
        await SaysAsync("*-1\r\n", "EXEC");
        await SaysAsync("+OK\r\n", "WATCH", "key"); // so that the read is Redis's own: what others write there shows within COHERENCE_BOUND
        await SaysAsync("$5\r\nnewer\r\n", "GET", "key");
    }

    [SkippableFact]
    public async Task WhatIsPublishedArrives()
    {
        await SaysAsync("*3\r\n$9\r\nsubscribe\r\n$7\r\nchannel\r\n:1\r\n", "SUBSCRIBE", "channel");

        await _redis.CommandAsync("PUBLISH", "channel", "news");

        await HearsAsync("*3\r\n$7\r\nmessage\r\n$7\r\nchannel\r\n$4\r\nnews\r\n");
        await SaysAsync("*3\r\n$11\r\nunsubscribe\r\n$7\r\nchannel\r\n:0\r\n", "UNSUBSCRIBE", "channel");
        await SaysAsync("+PONG\r\n", "PING");
    }

    [SkippableFact]
    public async Task WhatIsPublishedArrivesThoughNoRepliesAreWanted()
    {
        await _client.SendAsync(RespSocket.Command("CLIENT", "REPLY", "OFF"));
        await SaysAsync("*3\r\n$9\r\nsubscribe\r\n$7\r\nchannel\r\n:1\r\n", "SUBSCRIBE", "channel");

        await _redis.CommandAsync("PUBLISH", "channel", "news");

        await HearsAsync("*3\r\n$7\r\nmessage\r\n$7\r\nchannel\r\n$4\r\nnews\r\n");
        await SaysAsync("*3\r\n$11\r\nunsubscribe\r\n$7\r\nchannel\r\n:0\r\n", "UNSUBSCRIBE", "channel");
        await _client.SendAsync(RespSocket.Command("PING"));
        await SaysAsync("+OK\r\n", "CLIENT", "REPLY", "ON");
    }

    [SkippableFact]
    public async Task PingSaysThatAScriptKeepsRedisBusy()
    {
        using var other = await ConnectAsync();
        await _redis.CommandAsync("CONFIG", "SET", "busy-reply-threshold", "10");
        await SaysAsync("+PONG\r\n", "PING");
        await other.SendAsync(RespSocket.Command("EVAL", "while true do end", "0"));

        await Eventually.TrueAsync(async () => await SaysToPingAsync() == '-', TimeSpan.FromSeconds(10), "it is refused");
        await _redis.CommandAsync("SCRIPT", "KILL");
        await Eventually.TrueAsync(async () => await SaysToPingAsync() == '+', TimeSpan.FromSeconds(10), "it is answered");
    }

    [SkippableFact]
    public async Task WhoWaitsIsServedByWhatOthersPush()
    {
        using var other = await ConnectAsync();
        await _client.SendAsync(RespSocket.Command("BLPOP", "queue", "5"));
        await Task.Delay(100);

        await other.SendAsync(RespSocket.Command("RPUSH", "queue", "job"));

        await HearsAsync("*2\r\n$5\r\nqueue\r\n$3\r\njob\r\n");
    }

    [SkippableFact]
    public async Task WhoLeavesWhileWaitingTakesNothing()
    {
        using (var leaving = await ConnectAsync())
        {
            await leaving.SendAsync(RespSocket.Command("BLPOP", "queue", "0"));
            await Eventually.TrueAsync(
                async () => (await _redis.CommandAsync("INFO", "clients")).Contains("blocked_clients:1"), TimeSpan.FromSeconds(5), "it waits");
        }

        await Eventually.TrueAsync(
            async () => (await _redis.CommandAsync("INFO", "clients")).Contains("blocked_clients:0"), TimeSpan.FromSeconds(5), "it does not wait any more");
    }

    [SkippableFact]
    public async Task DangerousCommandsAreRefused()
    {
        await SaysAsync("-NOPERM this user has no permissions to run the 'flushall' command\r\n", "FLUSHALL");
        await SaysAsync("-NOPERM this user has no permissions to run the 'config|get' command\r\n", "CONFIG", "GET", "maxmemory");
        await SaysAsync("*0\r\n", "KEYS", "no such *");
    }

    private async Task<char> SaysToPingAsync()
    {
        await _client.SendAsync(RespSocket.Command("PING"));
        var reply = await _client.ReceiveAsync(1);
        while (!reply.EndsWith('\n'))
        {
            reply += await _client.ReceiveAsync(1);
        }

        return reply[0];
    }

    private async Task<RespSocket> ConnectAsync() =>
        await RespSocket.ConnectAsync(int.Parse(_gateway.Process.Settings["RESP_PORT"], CultureInfo.InvariantCulture));

    private async Task HearsAsync(string expected) => Assert.Equal(expected, await _client.ReceiveAsync(expected.Length));

    private async Task SaysAsync(string expected, params string[] words) => Assert.Equal(expected, await _client.AskAsync(expected, words));
}
