using System.Text;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Processes;

/// <summary>A real Redis that dies, and entries that have expired by then; seen over HTTP.</summary>
[Collection(ProcessesCollection.Name)]
[Trait(Beside.Name, Beside.Others)]
public sealed class StaleIfErrorTests(ITestOutputHelper output)
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    [SkippableFact]
    public async Task WhatHasExpiredOutlivesRedisForAsLongAsIsSetAndAsTheRequestAllows()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await AllInOne.StartAsync(redis.Port, ("RECORD_EXPIRY", "0.5"), ("STALE_IF_ERROR", "600"));
        await node.Process.ReadyAsync(5 * _second);
        await redis.CommandAsync("SET", "key", "value");
        Assert.Equal("MISS", (await node.Client.GetAsync("key")).Cache);
        Assert.Equal(404, (await node.Client.GetAsync("absent")).Status);

        await redis.KillAsync();
        await Eventually.TrueAsync(
            async () => (await node.Client.GetAsync("key")).CacheStatus == "rporleans; fwd=stale; detail=stale-if-error", 5 * _second, "what has expired is served");
        await Task.Delay(_second); // an age that headers can tell

        var stale = await node.Client.GetAsync("key");
        output.WriteLine($"{stale}");
        Assert.Equal((200, "value", "STALE"), (stale.Status, stale.Body, stale.Cache));
        Assert.InRange(stale.Age!.Value, _second, 20 * _second);
        Assert.Equal(503, (await node.Client.GetAsync("absent")).Status);
        foreach (var method in new[] { "GET", "HEAD" })
        {
            foreach (var (directives, status) in new[]
                     {
                         ("max-stale", 200), ("max-stale=600", 200), ("stale-if-error=\"600\"", 200), ("max-stale=0, stale-if-error=600", 200), ("max-age=600", 200),
                         ("max-stale=0", 503), ("stale-if-error=0", 503), ("max-stale, stale-if-error=0", 503), ("max-age=0", 503), ("max-age=0, max-stale", 503), ("min-fresh=1", 503),
                         ("no-cache", 503), ("no-store, max-stale", 503), ("only-if-cached", 504), ("only-if-cached, stale-if-error=600", 504), ("only-if-cached, max-stale=0", 504),
                         ("only-if-cached, max-stale=600", 200),
                     })
            {
                Assert.Equal((method, directives, status), (method, directives, (await SendAsync(node, method, "/get/key", null, directives)).Status));
            }
        }

        Assert.Matches("^rporleans; hit; ttl=-[0-9]+; detail=max-stale$", (await SendAsync(node, "GET", "/get/key", null, "only-if-cached, max-stale"))["Cache-Status"]);
        const string keys = """{"keys": ["key", "absent"]}""";
        Assert.Contains("\"source\": \"cache\", \"stale\": true}", (await SendAsync(node, "POST", "/v1/keys:batchGet", keys)).Text);
        Assert.DoesNotContain("\"found\"", (await SendAsync(node, "POST", "/v1/keys:batchGet", keys, "max-stale=0")).Text);
        Assert.Contains("\"staleIfErrorAnswers\": ", (await node.Process.AdminAsync("/stats")).Body);

        await using var empty = await RedisServer.StartAsync(redis.Port);
        await node.AnswersAsync(404, "key", 5 * _second); // said by a live Redis
    }

    [SkippableFact]
    public async Task WhatHasExpiredIsRefusedOnceItsTimeIsUp()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await AllInOne.StartAsync(redis.Port, ("RECORD_EXPIRY", "0.5"), ("STALE_IF_ERROR", "2"));
        await node.Process.ReadyAsync(5 * _second);
        await redis.CommandAsync("SET", "key", "value");
        await redis.CommandAsync("SET", "short", "value", "PX", "1000");
        await node.Client.GetAsync("key");
        await node.Client.GetAsync("short");

        await redis.KillAsync();
        await node.AnswersAsync(503, "short", 2 * _second); // Redis would have dropped it
        await node.AnswersAsync(503, "key", 4 * _second);

        var stats = (await node.Process.AdminAsync("/stats")).Body;
        output.WriteLine(stats);
        Assert.Contains("\"entries\": 0,", stats);
    }

    [SkippableFact]
    public async Task WhereTrackingIsDemandedWhatHasExpiredIsNotServedUnconfirmed()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await AllInOne.StartAsync(redis.Port, ("COHERENCE", "tracking"), ("RECORD_EXPIRY", "0.5"), ("STALE_IF_ERROR", "600"));
        await node.Process.ReadyAsync(5 * _second);
        await redis.CommandAsync("SET", "key", "value");
        await node.Client.RepeatAsync(3, "key");

        await redis.KillAsync();
        await Task.Delay(_second); // RECORD_EXPIRY and COHERENCE_BOUND

        Assert.All(await node.Client.RepeatAsync(5, "key"), reply => Assert.Equal(503, reply.Status));
    }

    private static async Task<RawAnswer> SendAsync(AllInOne node, string method, string target, string? body, string? directives = null)
    {
        using var connection = await RawHttp.ConnectAsync(node.Process.Port);
        await connection.SendAsync(RawHttp.Request(method, target, body is null ? null : Encoding.UTF8.GetBytes(body), directives is null ? [] : [$"Cache-Control: {directives}"]));
        return await connection.ReceiveAsync(toHead: method == "HEAD");
    }
}
