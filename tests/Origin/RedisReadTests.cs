using RpOrleans.Grains.Origin;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Origin;

/// <summary>What is read of a healthy Redis.</summary>
[Collection(nameof(TimedTests))]
[Trait(Beside.Name, Beside.Others)]
public class RedisReadTests
{
    [SkippableFact]
    public async Task ValueAndTimeToLiveAreRead()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();
        await redis.CommandAsync("SET", "forever", "Ada");
        await redis.CommandAsync("SET", "a while", "Eve", "PX", "60000");

        var forever = await origin.ReadAsync("forever");
        var while_ = await origin.ReadAsync("a while");

        Assert.Equal(OriginValueKind.Found, forever.Kind);
        Assert.Equal("Ada"u8.ToArray(), forever.Value);
        Assert.Null(forever.TimeToLive);
        Assert.InRange(while_.TimeToLive!.Value, TimeSpan.FromSeconds(50), TimeSpan.FromSeconds(60));
    }

    [SkippableFact]
    public async Task MissingKeyIsAbsent()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        Assert.Equal(new OriginValue(OriginValueKind.Absent), await origin.ReadAsync("nobody"));
    }

    [SkippableFact]
    public async Task EmptyValueIsFound()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();
        await redis.CommandAsync("SET", "empty", "");

        var read = await origin.ReadAsync("empty");

        Assert.Equal(OriginValueKind.Found, read.Kind);
        Assert.Equal([], read.Value!);
        Assert.Null(read.TimeToLive);
    }

    [SkippableFact]
    public async Task ListIsWrongType()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();
        await redis.CommandAsync("RPUSH", "list", "1");

        Assert.Equal(new OriginValue(OriginValueKind.WrongType), await origin.ReadAsync("list"));
        Assert.Equal(0, origin.Origin.Failures);
    }

    [SkippableFact]
    public async Task AnyBytesComeBackAsTheyAre()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();
        var all = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();

        await origin.Origin.WriteAsync(new OriginWrite(all, all), origin.In(550));

        Assert.Equal(all, (await origin.Origin.ReadAsync(all, origin.In(550))).Value);
    }

    [SkippableFact]
    public async Task LargestValueIsFoundAndOneByteMoreIsTooLarge()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();
        await redis.CommandAsync("SET", "fits", new string('x', OriginUnderTest.MaximumValueBytes));
        await redis.CommandAsync("SET", "does not", new string('x', OriginUnderTest.MaximumValueBytes + 1));

        Assert.Equal(OriginUnderTest.MaximumValueBytes, (await origin.ReadAsync("fits")).Value!.Length);
        Assert.Equal(new OriginValue(OriginValueKind.TooLarge), await origin.ReadAsync("does not"));
    }

    [SkippableFact]
    public async Task TooLargeIsNotPulled()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();
        await redis.CommandAsync("SETRANGE", "huge", "10000000", "x");
        var before = await NetOutputAsync(redis);

        await origin.ReadAsync("huge");

        Assert.InRange(await NetOutputAsync(redis) - before, OriginUnderTest.MaximumValueBytes, 100_000);
    }

    [SkippableFact]
    public async Task WholeValueOverTheLimitIsReadOnRequest()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();
        await redis.CommandAsync("SETRANGE", "huge", "999999", "x");
        await redis.CommandAsync("RPUSH", "list", "1");

        Assert.Equal(1_000_000, (await origin.Origin.ReadWholeAsync("huge"u8.ToArray(), 1_000_000, origin.In(5_000))).Value!.Length);
        Assert.Equal(OriginValueKind.TooLarge, (await origin.Origin.ReadWholeAsync("huge"u8.ToArray(), 999_999, origin.In(5_000))).Kind);
        Assert.Equal(OriginValueKind.Absent, (await origin.Origin.ReadWholeAsync("nobody"u8.ToArray(), 1_000_000, origin.In(5_000))).Kind);
        await Assert.ThrowsAsync<OriginException>(() => origin.Origin.ReadWholeAsync("list"u8.ToArray(), 1_000_000, origin.In(5_000)));
        Assert.True(origin.Origin.Health.Answers);
    }

    [SkippableFact]
    public async Task DatabaseOfTheSettingsIsRead()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port, database: 3);
        await origin.AnswersAsync();
        await redis.CommandAsync("SET", "key", "in 0");
        await origin.SetAsync("key", "in 3");

        Assert.Equal("in 3"u8.ToArray(), (await origin.ReadAsync("key")).Value);
        Assert.Equal("in 0", await redis.CommandAsync("GET", "key"));
    }

    [Fact]
    public async Task ValueAndTimeToLiveComeInOneRoundTrip()
    {
        // Nothing is answered before the last of the three has been received.
        await using var redis = new FakeRedis { ["GETRANGE"] = "", ["STRLEN"] = "", ["PTTL"] = FakeRedis.Bulk("Ada") + ":3\r\n:5000\r\n" };
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();
        var before = redis.Commands.Count;

        var read = await origin.ReadAsync("user:7");

        Assert.Equal(TimeSpan.FromSeconds(5), read.TimeToLive);
        Assert.Equal("Ada"u8.ToArray(), read.Value);
        Assert.Equal(1, origin.Origin.Reads);
        var asked = redis.Commands.Skip(before).Where(c => c[0] is not ("PING" or "ECHO" or "INFO")); // but for what the client library asks by itself
        Assert.Equal(["GETRANGE user:7 0 1023", "STRLEN user:7", "PTTL user:7"], asked.Select(c => string.Join(' ', c)));
    }

    [Theory]
    [InlineData("Ada", 4, -1)] // grew meanwhile
    [InlineData("Ada", 3, -2)] // went meanwhile
    [InlineData("Ada", 0, -2)]
    [InlineData("Ada", 3, 0)] // has less than a millisecond
    public async Task ValueThatChangedMeanwhileIsNotToBeKept(string value, int length, int timeToLive)
    {
        await using var redis = new FakeRedis { ["GETRANGE"] = FakeRedis.Bulk(value), ["STRLEN"] = $":{length}\r\n", ["PTTL"] = $":{timeToLive}\r\n" };
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        var read = await origin.ReadAsync("user:7");

        Assert.Equal("Ada"u8.ToArray(), read.Value);
        Assert.Equal(TimeSpan.Zero, read.TimeToLive);
    }

    [Theory]
    [InlineData(0, 0, -1)] // empty, or written between the second command and the third
    [InlineData(0, 3, -1)] // empty or absent, and then written
    [InlineData(OriginUnderTest.MaximumValueBytes, 3, -1)] // the value, or the beginning of a longer one
    [InlineData(OriginUnderTest.MaximumValueBytes, OriginUnderTest.MaximumValueBytes, -2)]
    public async Task WhatCannotBeToldApartIsAskedAgainInATransaction(int valueLength, int length, int timeToLive)
    {
        await using var redis = new FakeRedis
        {
            ["GETRANGE"] = FakeRedis.Bulk(new string('x', valueLength)),
            ["STRLEN"] = $":{length}\r\n",
            ["PTTL"] = $":{timeToLive}\r\n",
        };
        redis.On("MULTI", _ =>
        {
            redis["GETRANGE"] = redis["STRLEN"] = redis["PTTL"] = "+QUEUED\r\n";
            return "+OK\r\n";
        });
        redis["EXEC"] = "*3\r\n$3\r\nAda\r\n:3\r\n:-1\r\n";
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        var read = await origin.ReadAsync("user:7");

        Assert.Equal("Ada"u8.ToArray(), read.Value);
        Assert.Null(read.TimeToLive);
    }

    [Fact]
    public async Task ReadsInFlightAreBounded()
    {
        await using var redis = new FakeRedis { ["GETRANGE"] = FakeRedis.Silence };
        await using var origin = new OriginUnderTest(redis.Port, maxInFlight: 4, timeout: TimeSpan.FromMilliseconds(2_500));
        await origin.AnswersAsync();

        // Long enough for four to be sent, however busy the machine; when the first are given up, they make room for others.
        var reads = Enumerable.Range(0, 20).Select(_ => origin.ReadAsync("anything", within: 2_000)).ToArray();
        await OriginUnderTest.UntilAsync(() => redis.Commands.Count(c => c[0] == "GETRANGE") >= 4);
        await Task.Delay(300); // the rest would have come by now
        Assert.Equal(4, redis.Commands.Count(c => c[0] == "GETRANGE"));

        await Assert.ThrowsAsync<OriginException>(() => Task.WhenAll(reads));
        Assert.All(reads, read => Assert.Equal(OriginFault.TimedOut, ((OriginException)read.Exception!.InnerException!).Fault));
    }

    [Fact]
    public async Task MoreThanTenThousandWaitingReadsAreShed()
    {
        await using var redis = new FakeRedis { ["GETRANGE"] = FakeRedis.Silence };
        await using var origin = new OriginUnderTest(redis.Port, maxInFlight: 1, timeout: TimeSpan.FromMilliseconds(500));
        await origin.AnswersAsync();
        var reads = Enumerable.Range(0, 10_001).Select(_ => origin.ReadAsync("anything", within: 400)).ToArray();

        var (failure, _) = await origin.FailsAsync();

        Assert.Equal(OriginFault.Shed, failure.Fault);
        await Assert.ThrowsAsync<OriginException>(() => Task.WhenAll(reads));
    }

    [SkippableFact]
    public async Task FiguresTellReadsFailuresAndLatency()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        for (var i = 0; i < 10; i++)
        {
            await origin.ReadAsync("nobody");
        }

        Assert.Equal(10, origin.Origin.Reads);
        Assert.Equal(0, origin.Origin.Failures);
        Assert.InRange(origin.Origin.LatencyMilliseconds, 0.001, 250);
    }

    private static async Task<long> NetOutputAsync(RedisServer redis) =>
        long.Parse((await redis.CommandAsync("INFO", "stats")).Split('\n').Single(line => line.StartsWith("total_net_output_bytes:", StringComparison.Ordinal)).Split(':')[1]);
}
