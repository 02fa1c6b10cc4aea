using System.Diagnostics;
using RpOrleans.Grains.Origin;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Origin;

/// <summary>Redis that is there, and says no.</summary>
[Collection(nameof(TimedTests))]
[Trait(Beside.Name, Beside.Others)]
public class RedisRefusalTests
{
    private const string Secret = "correct-horse-battery";
    private const string Loading = "-LOADING Redis is loading the dataset in memory\r\n";

    [SkippableTheory]
    [InlineData(null, null)]
    [InlineData("wrong-staple", null)]
    [InlineData("wrong-staple", "ada")]
    public async Task WrongOrMissingPasswordIsRefusedNotUnreachable(string? password, string? user)
    {
        await using var redis = await RedisServer.StartAsync(password: Secret);
        await using var origin = new OriginUnderTest(redis.Port, password, user);

        await origin.FailsWithAsync(OriginFault.Refused);

        Assert.Equal(OriginFault.Refused, origin.Origin.Health.Fault);
        await OriginUnderTest.FailsWithAsync(OriginFault.Refused, () => origin.SetAsync("user:7", "Ada"));
        for (var i = 0; i < 100; i++)
        {
            Assert.Equal(OriginFault.Refused, (await origin.FailsAsync()).Failure.Fault);
            await Task.Delay(10);
        }

        Assert.Single(origin.Log, entry => entry.Id == 102);
    }

    [SkippableFact]
    public async Task RefusalIsSeenThoughRedisWasDownBefore()
    {
        var port = FreePort.Next();
        await using var origin = new OriginUnderTest(port, "wrong-staple");
        await origin.FailsWithAsync(OriginFault.BreakerOpen);
        await using (await RedisServer.StartAsync(port, Secret))
        {
            await origin.FailsWithAsync(OriginFault.Refused, 1_500);
        }

        await OriginUnderTest.UntilAsync(() => origin.Origin.Health.Fault == OriginFault.Unreachable, 1_500);
        await using var redis = await RedisServer.StartAsync(port, "wrong-staple");
        Assert.InRange((await origin.ServesAsync()).TotalMilliseconds, 0, 1_000);
    }

    [SkippableFact]
    public async Task RightPasswordServes()
    {
        await using var redis = await RedisServer.StartAsync(password: Secret);
        await using var origin = new OriginUnderTest(redis.Port, Secret);

        await origin.ServesAsync(1_000);
    }

    [SkippableFact]
    public async Task PasswordAndKeyAreInNoMessage()
    {
        await using var redis = await RedisServer.StartAsync(password: Secret);
        await using var origin = new OriginUnderTest(redis.Port, "wrong-staple");
        await origin.FailsWithAsync(OriginFault.Refused);
        var refused = await Assert.ThrowsAsync<OriginException>(() => origin.ReadAsync("secret-key"));
        await using var right = new OriginUnderTest(redis.Port, Secret);
        await right.ServesAsync();
        redis.Pause();
        var late = await Assert.ThrowsAsync<OriginException>(() => right.ReadAsync("secret-key"));
        await redis.KillAsync();
        var lost = await Assert.ThrowsAsync<OriginException>(() => right.SetAsync("secret-key", "secret-value"));
        await OriginUnderTest.UntilAsync(() => right.Log.Any(entry => entry.Id == 101));

        var all = string.Join('\n', [refused.ToString(), late.ToString(), lost.ToString(), .. origin.Log.Concat(right.Log).Select(entry => entry.Text)]);
        Assert.DoesNotContain(Secret, all);
        Assert.DoesNotContain("wrong-staple", all);
        Assert.DoesNotContain("secret-key", all);
        Assert.DoesNotContain("secret-value", all);
    }

    [Fact]
    public async Task TextOfRedisThatRepeatsTheKeyIsInNoMessage()
    {
        await using var redis = new FakeRedis { ["GETRANGE"] = "-ERR unknown command 'GETRANGE', with args beginning with: 'secret-key' '0'\r\n" };
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        var failure = await Assert.ThrowsAsync<OriginException>(() => origin.ReadAsync("secret-key"));

        Assert.DoesNotContain("secret-key", failure.ToString());
    }

    [SkippableFact]
    public async Task MissingPermissionForTheCommandIsRefused()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.CommandAsync("ACL", "SETUSER", "ada", "on", ">" + Secret, "~*", "+@all", "-getrange");
        await using var origin = new OriginUnderTest(redis.Port, Secret, "ada");
        await origin.AnswersAsync();

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(OriginFault.Refused, (await origin.FailsAsync()).Failure.Fault);
        }

        Assert.True(await origin.SetAsync("user:7", "Ada"));
    }

    [SkippableFact]
    public async Task LoginThatEndsWhileConnectedIsRefused()
    {
        await using var redis = await RedisServer.StartAsync(password: Secret);
        await redis.CommandAsync("ACL", "SETUSER", "ada", "on", ">" + Secret, "~*", "+@all");
        await using var origin = new OriginUnderTest(redis.Port, Secret, "ada");
        await origin.ServesAsync();

        await redis.CommandAsync("ACL", "DELUSER", "ada"); // Redis closes its connections

        await OriginUnderTest.UntilAsync(() => origin.Origin.Health.Fault == OriginFault.Refused);
        Assert.Equal(OriginFault.Refused, (await origin.FailsAsync()).Failure.Fault);
    }

    // Where Redis lets anybody in, the library goes on connecting though its login is refused: it is we who close each connection.
    [SkippableFact]
    public async Task LoginThatIsChangedWhereOthersNeedNoneIsRefusedFromThenOn()
    {
        await using var redis = await RedisServer.StartAsync();
        await redis.CommandAsync("ACL", "SETUSER", "ada", "on", ">" + Secret, "~*", "+@all");
        await using var origin = new OriginUnderTest(redis.Port, Secret, "ada");
        await origin.ServesAsync();
        await redis.CommandAsync("ACL", "SETUSER", "ada", "resetpass", ">wrong-staple");
        await redis.CommandAsync("CLIENT", "KILL", "USER", "ada");

        var faults = new List<OriginFault>();
        for (var watched = Stopwatch.StartNew(); watched.Elapsed < TimeSpan.FromSeconds(2); await Task.Yield())
        {
            var fault = (await origin.FailsAsync()).Failure.Fault;
            if (faults.Count == 0 || faults[^1] != fault) faults.Add(fault);
        }

        Assert.Equal(OriginFault.Refused, Assert.Single(faults.SkipWhile(fault => fault != OriginFault.Refused)));
    }

    [Fact]
    public async Task LoadingIsLoading()
    {
        await using var redis = new FakeRedis { ["PING"] = Loading, ["ECHO"] = Loading, ["GETRANGE"] = Loading };
        await using var origin = new OriginUnderTest(redis.Port);

        await origin.FailsWithAsync(OriginFault.Loading);
        Assert.Equal(OriginFault.Loading, origin.Origin.Health.Fault);

        redis.Forget("PING");
        redis.Forget("ECHO");
        redis.Forget("GETRANGE");
        Assert.InRange((await origin.ServesAsync()).TotalMilliseconds, 0, 1_000);
    }

    [SkippableFact]
    public async Task RealRedisThatLoadsIsLoadingAndThenServes()
    {
        var port = FreePort.Next();
        await using var redis = await RedisServer.StartAsync(port);
        await using var origin = new OriginUnderTest(port);
        await redis.CommandAsync("CONFIG", "SET", "loading-process-events-interval-bytes", "1024");
        await redis.CommandAsync("DEBUG", "POPULATE", "2000");
        await redis.CommandAsync("CONFIG", "SET", "key-load-delay", "1000"); // microseconds a key
        var reload = redis.CommandAsync("DEBUG", "RELOAD");
        await OriginUnderTest.UntilAsync(() => origin.Origin.Health.Fault == OriginFault.Loading);

        await origin.FailsWithAsync(OriginFault.Loading); // a timeout may come first: it looks at its clients now and then only
        await redis.CommandAsync("CONFIG", "SET", "key-load-delay", "0");
        await reload;

        Assert.InRange((await origin.ServesAsync()).TotalMilliseconds, 0, 1_000);
    }

    [Theory]
    [InlineData("-MOVED 3999 127.0.0.1:{0}\r\n")]
    [InlineData("-ASK 3999 127.0.0.1:{0}\r\n")]
    [InlineData("-MOVED 3999 ?:{0}\r\n")]
    public async Task MovedIsNotFollowed(string reply)
    {
        await using var other = new FakeRedis();
        await using var redis = new FakeRedis { ["GETRANGE"] = string.Format(reply, other.Port), ["INFO"] = FakeRedis.Bulk("redis_version:7.0.15\r\nredis_mode:cluster\r\nrole:master\r\n") };
        redis["HELLO"] = "*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:3\r\n$4\r\nmode\r\n$7\r\ncluster\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n";
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(OriginFault.Redirected, (await origin.FailsAsync()).Failure.Fault);
            await Task.Delay(20);
        }

        Assert.Equal(0, other.Connections);
        Assert.Equal(1, redis.Connections);
        Assert.True(origin.Origin.Health.Answers);
    }

    [Fact]
    public async Task MovedToItselfMakesNoLoop()
    {
        await using var redis = new FakeRedis();
        redis["GETRANGE"] = $"-MOVED 3999 127.0.0.1:{redis.Port}\r\n";
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        for (var i = 0; i < 50; i++)
        {
            // The library connects anew on such a reply, so what the fault is called depends on the moment.
            Assert.NotEqual(OriginFault.None, (await origin.FailsAsync()).Failure.Fault);
            await Task.Delay(20);
        }

        Assert.InRange(redis.Connections, 1, 10);
    }

    [SkippableFact]
    public async Task NodeOfARedisClusterWithoutSlotsIsRedirected()
    {
        await using var redis = await RedisServer.StartAsync(port: null, password: null, "--cluster-enabled", "yes");
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        Assert.Equal(OriginFault.Redirected, (await origin.FailsAsync()).Failure.Fault); // CLUSTERDOWN
    }
}
