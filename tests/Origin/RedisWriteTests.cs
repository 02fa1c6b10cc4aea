using System.Diagnostics;
using RpOrleans.Grains.Origin;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Origin;

/// <summary>Writes: done, not done, or not known.</summary>
[Collection(nameof(TimedTests))]
[Trait(Beside.Name, Beside.Others)]
public class RedisWriteTests
{
    [SkippableFact]
    public async Task WrittenValueAndExpiryAreInRedis()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        Assert.True(await origin.SetAsync("user:7", "Ada", TimeSpan.FromSeconds(60)));

        Assert.Equal("Ada", await redis.CommandAsync("GET", "user:7"));
        Assert.InRange(int.Parse((await redis.CommandAsync("PTTL", "user:7"))[1..]), 50_000, 60_000);
        Assert.True(await origin.SetAsync("user:7", "Eve"));
        Assert.Equal(":-1", await redis.CommandAsync("PTTL", "user:7"));
    }

    [SkippableFact]
    public async Task ExpiryBelowAMillisecondIsOne()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        Assert.True(await origin.SetAsync("user:7", "Ada", TimeSpan.FromMicroseconds(10)));
    }

    [SkippableFact]
    public async Task ConditionalWriteIsDoneOnce()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        Assert.True(await origin.SetAsync("user:7", "Ada", onlyIfAbsent: true, expiry: TimeSpan.FromMinutes(1)));
        Assert.False(await origin.SetAsync("user:7", "Eve", onlyIfAbsent: true));
        Assert.Equal("Ada", await redis.CommandAsync("GET", "user:7"));
    }

    [SkippableFact]
    public async Task DeleteIsDoneWhetherOrNotItWasThere()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();
        await redis.CommandAsync("SET", "user:7", "Ada");
        var delete = new OriginWrite("user:7"u8.ToArray(), Value: null);

        Assert.True((await origin.Origin.WriteAsync(delete, origin.In(550))).Done);
        Assert.True((await origin.Origin.WriteAsync(delete, origin.In(550))).Done);
        Assert.Equal("$-1", await redis.CommandAsync("GET", "user:7"));
    }

    [SkippableFact]
    public async Task OutOfMemoryWriteIsRefusedAndReadsGoOn()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();
        await redis.CommandAsync("SET", "user:7", "Ada");
        await redis.CommandAsync("CONFIG", "SET", "maxmemory", "1");

        var failures = await RefusedAsync(origin, times: 5);

        Assert.All(failures, failure => Assert.Equal((OriginFault.OutOfMemory, false), (failure.Fault, failure.OutcomeUnknown)));
        Assert.Equal("Ada"u8.ToArray(), (await origin.ReadAsync("user:7")).Value);
    }

    [SkippableFact]
    public async Task ReplicaTakesNoWritesAndServesReads()
    {
        await using var master = await RedisServer.StartAsync();
        await using var replica = await RedisServer.StartAsync(port: null, password: null, "--replicaof", "127.0.0.1 " + master.Port);
        await master.CommandAsync("SET", "user:7", "Ada");
        await using var origin = new OriginUnderTest(replica.Port);
        await origin.AnswersAsync();
        for (var waited = Stopwatch.StartNew(); (await origin.ReadAsync("user:7")).Kind == OriginValueKind.Absent && waited.ElapsedMilliseconds < 10_000;)
        {
            await Task.Delay(10);
        }

        var failures = await RefusedAsync(origin, times: 5);

        Assert.All(failures, failure => Assert.Equal((OriginFault.ReadOnly, false), (failure.Fault, failure.OutcomeUnknown)));
        Assert.Equal("Ada"u8.ToArray(), (await origin.ReadAsync("user:7")).Value);
        Assert.True(origin.Origin.Health.Answers);

        await replica.CommandAsync("REPLICAOF", "NO", "ONE");
        for (var waited = Stopwatch.StartNew(); ; await Task.Delay(10))
        {
            try
            {
                Assert.True(await origin.SetAsync("user:7", "Eve"));
                break;
            }
            catch (OriginException failure) when (failure.Fault == OriginFault.ReadOnly && waited.ElapsedMilliseconds < 2_500)
            {
                // not known to be a master yet
            }
        }
    }

    [Theory]
    [InlineData("-MISCONF Redis is configured to save RDB snapshots", OriginFault.Busy)]
    [InlineData("-NOREPLICAS Not enough good replicas to write.", OriginFault.Busy)]
    [InlineData("-BUSY Redis is busy running a script.", OriginFault.Busy)]
    [InlineData("-READONLY You can't write against a read only replica.", OriginFault.ReadOnly)]
    [InlineData("-OOM command not allowed when used memory > 'maxmemory'.", OriginFault.OutOfMemory)]
    [InlineData("-NOPERM this user has no permissions to run the 'set' command", OriginFault.Refused)]
    [InlineData("-LOADING Redis is loading the dataset in memory", OriginFault.Loading)]
    [InlineData("-MOVED 3999 127.0.0.1:6381", OriginFault.Redirected)]
    [InlineData("-ASK 3999 127.0.0.1:6381", OriginFault.Redirected)]
    [InlineData("-CLUSTERDOWN The cluster is down", OriginFault.Redirected)]
    [InlineData("-ERR something new", OriginFault.Busy)]
    public async Task RefusedWriteIsCertainlyNotDone(string reply, OriginFault fault)
    {
        await using var redis = new FakeRedis { ["SET"] = reply + "\r\n" };
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        var failures = await RefusedAsync(origin, times: 5);

        Assert.All(failures, failure => Assert.Equal((fault, false), (failure.Fault, failure.OutcomeUnknown)));
        Assert.True(origin.Origin.Health.Answers);
        Assert.Equal(5, redis.Commands.Count(c => c is ["SET", "user:7", ..]));
    }

    [Fact]
    public async Task ClosedMidWriteIsOutcomeUnknownAndNotTriedAgain()
    {
        await using var redis = new FakeRedis { ["SET"] = FakeRedis.Close };
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        var failure = (await RefusedAsync(origin, times: 1))[0];

        Assert.Equal((OriginFault.Unreachable, true), (failure.Fault, failure.OutcomeUnknown));
        await origin.ServesAsync();
        Assert.Single(redis.Commands, c => c is ["SET", "user:7", ..]);
    }

    [Fact]
    public async Task UnansweredWriteIsOutcomeUnknownAtTheTimeout()
    {
        await using var redis = new FakeRedis { ["SET"] = FakeRedis.Silence };
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();
        var took = Stopwatch.StartNew();

        var failure = (await RefusedAsync(origin, times: 1))[0];

        Assert.Equal((OriginFault.TimedOut, true), (failure.Fault, failure.OutcomeUnknown));
        Assert.InRange(took.ElapsedMilliseconds, 200, 500);
        Assert.Single(redis.Commands, c => c is ["SET", "user:7", ..]);
    }

    [Fact]
    public async Task LateWriteIsNotSent()
    {
        await using var redis = new FakeRedis();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        var failure = await Assert.ThrowsAsync<OriginException>(() => origin.SetAsync("user:7", "Ada", within: 0));

        Assert.Equal((OriginFault.TimedOut, false), (failure.Fault, failure.OutcomeUnknown));
        Assert.DoesNotContain(redis.Commands, c => c is ["SET", "user:7", ..]);
    }

    [Fact]
    public async Task WriteWithoutAConnectionIsCertainlyNotDone()
    {
        await using var origin = new OriginUnderTest(FreePort.Next());

        var failures = await RefusedAsync(origin, times: 5);

        Assert.All(failures, failure => Assert.False(failure.OutcomeUnknown));
        Assert.Equal(OriginFault.Unreachable, failures[0].Fault);
    }

    private static async Task<List<OriginException>> RefusedAsync(OriginUnderTest origin, int times)
    {
        var failures = new List<OriginException>();
        for (var i = 0; i < times; i++)
        {
            failures.Add(await Assert.ThrowsAsync<OriginException>(() => origin.SetAsync("user:7", "Ada")));
        }

        return failures;
    }
}
