using System.Diagnostics;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Processes;

/// <summary>A real Redis that is down, dies, comes back otherwise, hangs, loads, refuses; seen over HTTP.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class RedisFaultTests(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _expiry = TimeSpan.FromSeconds(5);

    private readonly List<IAsyncDisposable> _used = [];
    private readonly Keys _keys = new("fault", 200);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var node in _used.OfType<AllInOne>())
        {
            output.WriteLine(node.Process.TakeReport());
        }

        foreach (var used in Enumerable.Reverse(_used))
        {
            await used.DisposeAsync();
        }
    }

    [SkippableFact]
    public async Task DownAtStartFailsAtOnceAndServesASecondAfterItComesUp()
    {
        RedisServer.Require();
        var port = FreePort.Next();
        var node = Use(await AllInOne.StartAsync(port));

        Assert.Equal(200, (await node.Process.AdminAsync("/livez")).Status);
        var (ready, reasons) = await node.Process.AdminAsync("/readyz");
        Assert.Equal(503, ready);
        Assert.Contains("Redis cannot be reached", reasons);
        await FailsAtOnceAsync(node, _keys.Key(0));

        Use(await RedisServer.StartAsync(port));
        var up = Stopwatch.StartNew();
        await node.Process.ReadyAsync(2 * _second);
        var readyAfter = up.Elapsed;
        Assert.Equal(404, (await node.Client.GetAsync(_keys.Key(0))).Status);
        output.WriteLine($"ready {readyAfter.TotalMilliseconds:F0} ms after Redis was up");
        Assert.InRange(readyAfter, TimeSpan.Zero, _second);
    }

    [SkippableFact]
    public async Task RedisThatDiesLeavesWhatIsHeldUntilItExpiresAndNeverTurnsAFailureIntoAbsence()
    {
        var redis = Use(await RedisServer.StartAsync());
        var (node, loaded) = await WarmAsync(redis.Port);

        await redis.KillAsync();
        var died = Stopwatch.GetTimestamp();
        var open = await Eventually.TrueAsync(
            async () => await node.Client.GetAsync("missing") is { Status: 503, Took.TotalMilliseconds: <= 10 }, _second, "misses fail at once");
        await FailsAtOnceAsync(node, "missing");
        using var processor = new Processor();
        var hits = new List<Reply>();
        while (Stopwatch.GetElapsedTime(loaded) < _expiry - _second)
        {
            hits.Add(await node.Client.GetAsync(_keys.Key(hits.Count % _keys.Count)));
            await Task.Delay(1);
        }

        output.WriteLine($"misses fail at once after {open.TotalMilliseconds:F0} ms; hits: {Client.Times(hits)}; longest wait for a processor {processor.LongestWait.TotalMilliseconds:F1} ms");
        Assert.InRange(open.TotalMilliseconds, 0, 500);
        Assert.DoesNotContain(hits, hit => hit.Status != 200 || hit.Took > Answers.Latest);

        // Each entry goes from 200 to 503 at its expiry, and to nothing else.
        var last = 200;
        await Eventually.TrueAsync(
            async () =>
            {
                last = (await node.Client.GetAsync(_keys.Key(0))).Status;
                Assert.Contains(last, new[] { 200, 503 });
                return last == 503;
            },
            _expiry,
            "an entry expires");
        output.WriteLine($"the first entry expired {Stopwatch.GetElapsedTime(loaded).TotalMilliseconds:F0} ms after the last one was loaded, {Stopwatch.GetElapsedTime(died).TotalMilliseconds:F0} ms after Redis died");
        Assert.InRange(Stopwatch.GetElapsedTime(loaded), TimeSpan.Zero, _expiry + TimeSpan.FromMilliseconds(100));
    }

    [SkippableTheory]
    [InlineData("with its data")]
    [InlineData("empty")]
    [InlineData("with other data")]
    public async Task RedisThatRestartsIsReadAgainWithinASecondAndAbsenceIsOnlyWhatItSays(string how)
    {
        RedisServer.Require();
        using var data = new Dump();
        await data.SaveAsync(_keys.FillAsync);
        using var other = new Dump();
        await other.SaveAsync(redis => redis.CommandAsync("EVAL", "for i = 0, ARGV[1] - 1 do redis.call('SET', 'fault:' .. i, 'other') end return 1", "0", "200"));
        var redis = Use(await RedisServer.StartAsync(extraArgs: data.Arguments));
        var (node, loaded) = await WarmAsync(redis.Port);
        await redis.KillAsync();
        await node.AnswersAsync(503, "missing", _second);

        Use(await RedisServer.StartAsync(redis.Port, extraArgs: how switch { "with its data" => data.Arguments, "empty" => [], _ => other.Arguments }));
        var back = Stopwatch.StartNew();
        await node.AnswersAsync(404, "missing", 2 * _second); // said by a live Redis
        var reconnected = back.Elapsed;

        var old = TimeSpan.Zero;
        for (var read = 0; Stopwatch.GetElapsedTime(loaded) < _expiry + _second; read++)
        {
            var key = read % _keys.Count;
            var asked = Stopwatch.GetElapsedTime(loaded);
            var reply = await node.Client.GetAsync(_keys.Key(key));
            if (reply.Status == 200 && reply.Body == _keys.Value(key))
            {
                old = asked;
                Assert.InRange(reply.Age!.Value, TimeSpan.Zero, _expiry);
            }
            else
            {
                Assert.Equal(how == "empty" ? (404, "key was not found") : how == "with other data" ? (200, "other") : (200, _keys.Value(key)), (reply.Status, reply.Body));
            }
        }

        output.WriteLine($"read again {reconnected.TotalMilliseconds:F0} ms after Redis was back; the values from before were served until {old.TotalMilliseconds:F0} ms after the last was loaded");
        Assert.InRange(reconnected, TimeSpan.Zero, _second);
        if (how != "with its data")
        {
            Assert.InRange(old, TimeSpan.Zero, _expiry);
        }
    }

    [SkippableFact]
    public async Task RedisThatHangsTimesMissesOutOnceThenFailsThemAtOnceAndHitsGoOn()
    {
        var redis = Use(await RedisServer.StartAsync());
        var (node, _) = await WarmAsync(redis.Port, expiry: TimeSpan.FromSeconds(60));
        var before = await HitsAsync();

        redis.Pause();
        var first = await node.Client.GetAsync("missing");
        output.WriteLine($"the first miss: {first.Status} after {first.Took.TotalMilliseconds:F0} ms");
        Assert.Equal(504, first.Status);
        Assert.InRange(first.Took, TimeSpan.Zero, Answers.Latest);
        await node.AnswersAsync(503, "missing", _second);
        await FailsAtOnceAsync(node, "missing");
        var during = await HitsAsync();
        await Eventually.TrueAsync(async () => !await node.Process.IsReadyAsync(), _second, "it says that it is not ready");

        redis.Resume();
        var woken = Stopwatch.StartNew();
        await node.AnswersAsync(404, "missing", 2 * _second);
        var recovered = woken.Elapsed;
        await node.Process.ReadyAsync(_second);
        output.WriteLine($"hits before: {Client.Times(before)}; while Redis hung: {Client.Times(during)}; read again {recovered.TotalMilliseconds:F0} ms after it woke");
        Assert.InRange(recovered, TimeSpan.Zero, _second);

        async Task<List<Reply>> HitsAsync()
        {
            var hits = new List<Reply>();
            for (var i = 0; i < 1_000; i++)
            {
                hits.Add(await node.Client.GetAsync(_keys.Key(i % _keys.Count)));
            }

            Assert.All(hits, hit => Assert.Equal(200, hit.Status));
            return hits;
        }
    }

    [SkippableFact]
    public async Task RedisThatLoadsIsAnsweredWith503AndComeAgain()
    {
        RedisServer.Require();
        var keys = new Keys("loading", 2_000);
        using var data = new Dump();
        await data.SaveAsync(keys.FillAsync);
        var redis = Use(await RedisServer.StartAsync(extraArgs: data.Arguments));
        var node = Use(await AllInOne.StartAsync(redis.Port));
        await node.AnswersAsync(200, keys.Key(0), _second);
        await redis.KillAsync();

        // 2,000 keys, 1 ms each; it answers after every few of them.
        var slow = Use(await RedisServer.StartAsync(redis.Port, extraArgs: [.. data.Arguments, "--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"]));
        var refusals = new List<Reply>();
        var loading = 0;
        while (await slow.CommandAsync("PING") is var pong && pong.StartsWith("-LOADING", StringComparison.Ordinal))
        {
            loading++;
            refusals.Add(await node.Client.GetAsync(keys.Key(1 + (loading % 100))));
        }

        Assert.NotEqual(0, loading);
        await node.AnswersAsync(200, keys.Key(1), _second);
        output.WriteLine($"{refusals.Count} reads while it loaded: {Client.Times(refusals)}");
        Assert.All(refusals.SkipLast(1), refusal => Assert.Equal((503, "1"), (refusal.Status, refusal.RetryAfter))); // the last may have been in time
        for (var key = 0; key < keys.Count; key++)
        {
            var reply = await node.Client.GetAsync(keys.Key(key));
            Assert.Equal((200, keys.Value(key)), (reply.Status, reply.Body));
        }
    }

    [SkippableFact]
    public async Task ListIsAConflictAndNotRememberedAsAbsent()
    {
        var redis = Use(await RedisServer.StartAsync());
        var node = Use(await AllInOne.StartAsync(redis.Port));
        await node.Process.ReadyAsync(_second);
        Assert.Equal(":1", await redis.CommandAsync("LPUSH", "thing", "element"));

        Assert.All(await node.Client.RepeatAsync(3, "thing"), reply => Assert.Equal(409, reply.Status));

        Assert.Equal("+OK", await redis.CommandAsync("SET", "thing", "a string now"));
        var read = await node.Client.GetAsync("thing");
        Assert.Equal((200, "a string now"), (read.Status, read.Body));
    }

    [SkippableFact]
    public async Task WrongPasswordIsABadGatewayAndAppearsNowhere()
    {
        const string right = "the-right-one-2f6e", wrong = "the-wrong-one-9a1c";
        var redis = Use(await RedisServer.StartAsync(password: right));
        var node = Use(await AllInOne.StartAsync(redis.Port, ("REDIS_PASSWORD", wrong)));

        await node.AnswersAsync(502, "anything", 2 * _second);
        Assert.All(await node.Client.RepeatAsync(20, "anything"), reply => Assert.Equal(502, reply.Status));
        await Eventually.TrueAsync(async () => (await node.Process.AdminAsync("/readyz")).Status == 503, _second, "it says that it is not ready");
        await AppearsNowhereAsync(node, right, wrong);
    }

    [SkippableTheory]
    [InlineData("where others need a password too", "the-other-one-77d0")]
    [InlineData("where others need none", null)]
    public async Task RotatedPasswordIsABadGatewayAndAppearsNowhere(string where, string? othersPassword)
    {
        const string first = "the-first-one-2f6e", second = "the-second-one-9a1c";
        var redis = Use(await RedisServer.StartAsync(password: othersPassword));
        Assert.Equal("+OK", await redis.CommandAsync("ACL", "SETUSER", "reader", "on", $">{first}", "~*", "+@all"));
        var node = Use(await AllInOne.StartAsync(redis.Port, ("REDIS_USER", "reader"), ("REDIS_PASSWORD", first)));
        await node.Process.ReadyAsync(_second);
        Assert.Equal(404, (await node.Client.GetAsync("anything")).Status);

        Assert.Equal("+OK", await redis.CommandAsync("ACL", "SETUSER", "reader", "resetpass", $">{second}"));
        Assert.NotEqual(":0", await redis.CommandAsync("CLIENT", "KILL", "USER", "reader"));
        var refused = await node.AnswersAsync(502, "anything", 2 * _second);

        output.WriteLine($"{where}: 502 after {refused.TotalMilliseconds:F0} ms");
        Assert.All(await node.Client.RepeatAsync(20, "anything"), reply => Assert.Equal(502, reply.Status));
        await Eventually.TrueAsync(async () => (await node.Process.AdminAsync("/readyz")).Status == 503, _second, "it says that it is not ready");
        await AppearsNowhereAsync(node, first, second);
    }

    [SkippableFact]
    public async Task NoLevelOfTheLogShowsKeysOrValues()
    {
        const string key = "a-private-key-51c2", value = "a-private-value-88e0";
        var redis = Use(await RedisServer.StartAsync());
        var node = Use(await AllInOne.StartAsync(redis.Port, ("LOG_LEVEL", "Trace")));
        await node.Process.ReadyAsync(_second);
        Assert.Equal(404, (await node.Client.GetAsync(key)).Status);
        Assert.Equal(204, (await node.Client.PutAsync(key, value)).Status);
        Assert.Equal((200, value), await node.Client.GetAsync(key) is var read ? (read.Status, read.Body) : default);
        await redis.KillAsync();
        await node.AnswersAsync(503, $"{key}-missing", _second);

        Assert.Empty(node.Process.Output.Split('\n').Where(line => line.Contains(key, StringComparison.Ordinal) || line.Contains(value, StringComparison.Ordinal)).Take(5));
    }

    private T Use<T>(T used) where T : IAsyncDisposable
    {
        _used.Add(used);
        return used;
    }

    /// <summary>A process that holds every key.</summary>
    private async Task<(AllInOne Node, long Loaded)> WarmAsync(int redisPort, TimeSpan? expiry = null)
    {
        var node = Use(await AllInOne.StartAsync(redisPort, ("RECORD_EXPIRY", $"{(expiry ?? _expiry).TotalSeconds:F0}")));
        await node.Process.ReadyAsync(_second);
        if (_used.OfType<RedisServer>().First() is var redis && await redis.CommandAsync("EXISTS", _keys.Key(0)) == ":0")
        {
            await _keys.FillAsync(redis);
        }

        for (var key = 0; key < _keys.Count; key++)
        {
            var reply = await node.Client.GetAsync(_keys.Key(key));
            Assert.Equal((200, _keys.Value(key)), (reply.Status, reply.Body));
        }

        return (node, Stopwatch.GetTimestamp());
    }

    private async Task FailsAtOnceAsync(AllInOne node, string key)
    {
        var refusals = await node.Client.RepeatAsync(20, key);
        output.WriteLine($"503: {Client.Times(refusals)}");
        Assert.All(refusals, refusal => Assert.Equal((503, "1"), (refusal.Status, refusal.RetryAfter)));
        Assert.InRange(refusals.Min(refusal => refusal.Took).TotalMilliseconds, 0, 10);
    }

    private static async Task AppearsNowhereAsync(AllInOne node, params string[] secrets)
    {
        List<string> said =
        [
            (await node.Client.GetAsync("anything")).Body,
            (await node.Client.PutAsync("anything", "value")).Body,
            (await node.Process.AdminAsync("/readyz")).Body,
            (await node.Process.AdminAsync("/livez")).Body,
            (await node.Process.AdminAsync("/stats")).Body,
            node.Process.Output,
        ];
        foreach (var secret in secrets)
        {
            Assert.All(said, text => Assert.DoesNotContain(secret, text));
        }
    }
}
