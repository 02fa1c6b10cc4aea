using System.Diagnostics;
using RpOrleans.Grains.Origin;
using RpOrleans.Tests.Support;
using Xunit;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Origin;

/// <summary>Redis that is down, comes back, hangs, wakes.</summary>
[Collection(nameof(TimedTests))]
[Trait(Beside.Name, Beside.Others)]
public class RedisOutageTests(ITestOutputHelper output)
{
    [Fact]
    public async Task DownAtStartFailsAtOnce()
    {
        await using var origin = new OriginUnderTest(FreePort.Next());

        var first = await origin.FailsAsync();
        Assert.Equal(OriginFault.Unreachable, first.Failure.Fault);
        await origin.FailsAsync();

        var later = new List<TimeSpan>();
        for (var i = 0; i < 100; i++)
        {
            var (failure, took) = await origin.FailsAsync();
            Assert.True(failure.Fault is OriginFault.Unreachable or OriginFault.BreakerOpen, $"{failure.Fault} after {took.TotalMilliseconds} ms");
            later.Add(took);
        }

        later.Sort();
        output.WriteLine($"median {later[50].TotalMilliseconds:F3} ms, worst {later[^1].TotalMilliseconds:F3} ms");
        Assert.InRange(later[90].TotalMilliseconds, 0, 10);
        Assert.Equal(OriginFault.Unreachable, origin.Origin.Health.Fault);
    }

    [SkippableFact]
    public async Task ServesWithinOneSecondOfRedisComingUp()
    {
        var port = FreePort.Next();
        await using var origin = new OriginUnderTest(port);
        await origin.FailsWithAsync(OriginFault.BreakerOpen);
        await using var redis = await RedisServer.StartAsync(port);

        var took = await origin.ServesAsync();

        output.WriteLine($"{took.TotalMilliseconds:F0} ms");
        Assert.InRange(took.TotalMilliseconds, 0, 1_000);
    }

    [SkippableTheory]
    [InlineData(0)]
    [InlineData(4_000)]
    public async Task ReconnectsWithinOneSecondOfRedisComingBack(int outageMilliseconds)
    {
        var port = FreePort.Next();
        await using var before = await RedisServer.StartAsync(port);
        await using var origin = new OriginUnderTest(port);
        await origin.ServesAsync();
        await before.KillAsync();
        await origin.FailsAsync();
        await Task.Delay(outageMilliseconds); // the outage itself
        await using var after = await RedisServer.StartAsync(port);

        var took = await origin.ServesAsync();

        output.WriteLine($"{took.TotalMilliseconds:F0} ms");
        Assert.InRange(took.TotalMilliseconds, 0, 1_000);
    }

    [SkippableFact]
    public async Task DeathIsNoticedAtOnce()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.ServesAsync();

        await redis.KillAsync();

        await OriginUnderTest.UntilAsync(() => origin.Origin.Health.Fault == OriginFault.Unreachable, 500);
        for (var since = Stopwatch.StartNew(); since.ElapsedMilliseconds < 1_000;)
        {
            var waits = since.ElapsedMilliseconds < 500; // a Redis that dies may still have taken the next connection: then that is waited for
            var (failure, took) = await origin.FailsAsync();
            Assert.True(failure.Fault is OriginFault.Unreachable or OriginFault.BreakerOpen || (waits && failure.Fault == OriginFault.TimedOut), $"{failure.Fault} after {took.TotalMilliseconds} ms");
            Assert.InRange(took.TotalMilliseconds, 0, waits ? 550 : 50);
            await Task.Delay(2); // refusals take no time: without a pause this is the load that takes the processor from what it measures
        }
    }

    // A Redis that is killed closes its connections before the port: the next connect may still succeed, for nothing. So may all others where a proxy stands before it.
    [SkippableFact]
    public async Task ConnectionThatIsClosedAsSoonAsMadeIsNotWaitedForForLong()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = new FaultProxy(redis.Port, 1);
        await using var origin = new OriginUnderTest(proxy.Port);
        await origin.ServesAsync();

        proxy.Set(ProxyFault.Refuse);
        proxy.Reset();

        await OriginUnderTest.UntilAsync(() => origin.Origin.Health.Fault != OriginFault.None, 500);
        for (var since = Stopwatch.StartNew(); since.ElapsedMilliseconds < 1_500;)
        {
            var begun = since.ElapsedMilliseconds;
            var (failure, took) = await origin.FailsAsync();
            var waits = begun < 600; // for a connection that is being made, and that may take as long as a read has
            Assert.True(failure.Fault is OriginFault.Unreachable or OriginFault.BreakerOpen || (waits && failure.Fault == OriginFault.TimedOut), $"{failure.Fault} after {took.TotalMilliseconds} ms, begun after {begun}");
            Assert.InRange(took.TotalMilliseconds, 0, waits ? 550 : 50);
            await Task.Delay(2); // as above
        }
    }

    [SkippableFact]
    public async Task ConnectionThatIsCutMidReadCostsNoFailedRead()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.ServesAsync();
        for (var i = 0; i < 3; i++)
        {
            await Task.Delay(400); // longer than the least time between two connects
            var cut = redis.CommandAsync("CLIENT", "KILL", "TYPE", "normal");

            while (!cut.IsCompleted)
            {
                await origin.ReadAsync("anything"); // throws if one fails
            }

            await origin.ReadAsync("anything");
        }
    }

    [SkippableFact]
    public async Task HungRedisTimesOutThenFailsFast()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.ServesAsync();
        redis.Pause();

        var (first, took) = await origin.FailsAsync();
        Assert.Equal(OriginFault.TimedOut, first.Fault);
        Assert.InRange(took.TotalMilliseconds, 200, 600);

        await origin.FailsWithAsync(OriginFault.BreakerOpen, 1_000);
        for (var waited = Stopwatch.StartNew(); waited.ElapsedMilliseconds < 3_000; await Task.Delay(10))
        {
            var (failure, fast) = await origin.FailsAsync();
            Assert.Equal(OriginFault.BreakerOpen, failure.Fault);
            Assert.InRange(fast.TotalMilliseconds, 0, 50);
        }

        Assert.Equal(OriginFault.TimedOut, origin.Origin.Health.Fault);
    }

    [SkippableFact]
    public async Task HangIsNoticedThoughNobodyReads()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        redis.Pause();

        var noticed = await OriginUnderTest.UntilAsync(() => origin.Origin.Health.Fault == OriginFault.TimedOut, 1_000);
        output.WriteLine($"{noticed.TotalMilliseconds:F0} ms");
    }

    [SkippableTheory]
    [InlineData(500)]
    [InlineData(1_300)]
    [InlineData(3_000)]
    [InlineData(6_000)]
    public async Task WakesWithinOneSecondAfterAHang(int hangMilliseconds)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.ServesAsync();
        redis.Pause();
        for (var waited = Stopwatch.StartNew(); waited.ElapsedMilliseconds < hangMilliseconds; await Task.Delay(10))
        {
            await origin.FailsAsync();
        }

        redis.Resume();

        var took = await origin.ServesAsync();
        output.WriteLine($"{took.TotalMilliseconds:F0} ms");
        Assert.InRange(took.TotalMilliseconds, 0, 1_000);
    }

    [SkippableFact]
    public async Task HungAtStartIsServedWithinOneSecondOfWaking()
    {
        await using var redis = await RedisServer.StartAsync();
        redis.Pause();
        await using var origin = new OriginUnderTest(redis.Port);
        await OriginUnderTest.UntilAsync(() => origin.Origin.Health.Fault == OriginFault.TimedOut);
        var (_, fast) = await origin.FailsAsync();
        Assert.InRange(fast.TotalMilliseconds, 0, 50);

        redis.Resume();

        Assert.InRange((await origin.ServesAsync()).TotalMilliseconds, 0, 1_000);
    }

    [Fact]
    public async Task SilentConnectionIsReplaced()
    {
        await using var redis = new FakeRedis();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();
        redis["PING"] = redis["GETRANGE"] = redis["ECHO"] = FakeRedis.Silence;

        var took = await OriginUnderTest.UntilAsync(() => redis.Connections >= 2);
        output.WriteLine($"{took.TotalMilliseconds:F0} ms");
        Assert.InRange(took.TotalMilliseconds, 500, 2_000);

        foreach (var command in (string[])["PING", "GETRANGE", "ECHO"])
        {
            redis.Forget(command);
        }

        Assert.InRange((await origin.ServesAsync()).TotalMilliseconds, 0, 2_000);
    }

    [Fact]
    public async Task UserRequestsAreNeverTheTrial()
    {
        await using var redis = new FakeRedis();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();
        redis["PING"] = redis["GETRANGE"] = redis["ECHO"] = FakeRedis.Silence;
        await origin.FailsWithAsync(OriginFault.BreakerOpen);
        var before = redis.Commands.Count(c => c[0] == "GETRANGE");

        for (var i = 0; i < 200; i++)
        {
            Assert.Equal(OriginFault.BreakerOpen, (await origin.FailsAsync()).Failure.Fault);
            await Task.Delay(5);
        }

        Assert.Equal(before, redis.Commands.Count(c => c[0] == "GETRANGE"));
    }

    [Fact]
    public async Task ReadIsTriedTwiceAtMost()
    {
        await using var redis = new FakeRedis { ["GETRANGE"] = FakeRedis.Silence };
        await using var origin = new OriginUnderTest(redis.Port, timeout: TimeSpan.FromMilliseconds(100));
        await origin.AnswersAsync();

        var (failure, took) = await origin.FailsAsync();

        Assert.Equal(OriginFault.TimedOut, failure.Fault);
        Assert.InRange(redis.Commands.Count(c => c[0] == "GETRANGE"), 1, 2);
        Assert.InRange(took.TotalMilliseconds, 80, 400);
    }

    [Fact]
    public async Task SecondTryAnswersWhenTheFirstIsLost()
    {
        var asked = 0;
        await using var redis = new FakeRedis { ["STRLEN"] = ":3\r\n", ["PTTL"] = ":-1\r\n" };
        redis.On("GETRANGE", _ => Interlocked.Increment(ref asked) == 1 ? FakeRedis.Close : FakeRedis.Bulk("Ada"));
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();
        await Task.Delay(400); // longer than the least time between two connects

        Assert.Equal("Ada"u8.ToArray(), (await origin.ReadAsync("user:7")).Value);
        Assert.Equal(2, asked);
    }

    [SkippableFact]
    public async Task ExpiredDeadlineIsNotSent()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(OriginFault.TimedOut, (await origin.FailsAsync(within: 0)).Failure.Fault);
        }

        Assert.Equal(0, origin.Origin.Reads);
        await origin.ReadAsync("anything"); // and the breaker did not take it for a failure of Redis
    }

    [Fact]
    public async Task FlappingRedisSeesAtMostTenConnectsASecond()
    {
        // It lets in whoever comes, and throws them out at once.
        await using var fake = new FakeRedis();
        fake.On("ECHO", words => FakeRedis.Bulk(words[1]) + FakeRedis.Close);
        await using var origin = new OriginUnderTest(fake.Port);
        await OriginUnderTest.UntilAsync(() => fake.Connections > 0);
        var before = fake.Connections;
        var watch = Stopwatch.StartNew();

        while (watch.ElapsedMilliseconds < 5_000)
        {
            await Record.ExceptionAsync(() => origin.ReadAsync("anything"));
            await Task.Delay(1);
        }

        output.WriteLine($"{(fake.Connections - before) / watch.Elapsed.TotalSeconds:F1} connects a second");
        Assert.InRange((fake.Connections - before) / watch.Elapsed.TotalSeconds, 0, 10);
    }

    [SkippableFact]
    public async Task StartsAndKillsLeakNoSocketsAndEachIsLoggedOnce()
    {
        const int Rounds = 25;
        var port = FreePort.Next();
        await using var origin = new OriginUnderTest(port);
        await OriginUnderTest.UntilAsync(() => Logged(101) == 1);
        var sockets = Sockets();
        for (var i = 1; i <= Rounds; i++)
        {
            await using (await RedisServer.StartAsync(port))
            {
                Assert.InRange((await origin.ServesAsync()).TotalMilliseconds, 0, 1_500);
                await OriginUnderTest.UntilAsync(() => Logged(100) == i);
            }

            await OriginUnderTest.UntilAsync(() => Logged(101) == 1 + i);
        }

        await OriginUnderTest.UntilAsync(() => Sockets() <= sockets + 3);
        Assert.Equal((Rounds, 1 + Rounds), (Logged(100), Logged(101)));

        int Logged(int id) => origin.Log.Count(entry => entry.Id == id);
    }

    [Fact]
    public async Task DisposeEndsPromptlyWhateverRedisDoes()
    {
        foreach (var silent in (bool[])[true, false])
        {
            await using var redis = new FakeRedis { Everything = silent ? FakeRedis.Silence : null };
            var origin = new OriginUnderTest(redis.Port);
            if (!silent) await origin.AnswersAsync();
            var took = Stopwatch.StartNew();
            await origin.DisposeAsync();
            Assert.InRange(took.ElapsedMilliseconds, 0, 2_000);
        }
    }

    private static int Sockets() => Directory.GetFiles("/proc/self/fd").Count(fd =>
    {
        try
        {
            return File.ResolveLinkTarget(fd, returnFinalTarget: false)?.Name.StartsWith("socket:", StringComparison.Ordinal) == true;
        }
        catch (IOException)
        {
            return false;
        }
    });
}
