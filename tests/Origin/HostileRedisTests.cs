using RpOrleans.Grains.Origin;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Origin;

/// <summary>What comes back is not the Redis protocol, or not what was asked for.</summary>
[Collection(nameof(TimedTests))]
[Trait(Beside.Name, Beside.Others)]
public class HostileRedisTests
{
    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" + FakeRedis.Close)]
    [InlineData("SSH-2.0-OpenSSH_9.2p1\r\n")]
    [InlineData("\u0015\u0003\u0001\u0002\u0002\u0050")] // TLS: an alert
    public async Task PeerThatDoesNotSpeakRedisIsProtocol(string everything)
    {
        await using var peer = new FakeRedis { Everything = everything };
        await using var origin = new OriginUnderTest(peer.Port);

        await origin.FailsWithAsync(OriginFault.Protocol);

        Assert.Equal(OriginFault.Protocol, origin.Origin.Health.Fault);
        await OriginUnderTest.FailsWithAsync(OriginFault.Protocol, () => origin.SetAsync("user:7", "Ada"));
    }

    [Theory]
    [InlineData("$-5\r\n")]
    [InlineData("$x\r\n")]
    [InlineData("*-5\r\n")]
    [InlineData("garbage\r\n")]
    [InlineData(":7\r\n")] // a reply of another type
    [InlineData("+Ada\r\n")]
    [InlineData("*1\r\n$3\r\nAda\r\n")]
    [InlineData("$-1\r\n")]
    public async Task ReplyThatCannotBeIsProtocolAndEndsTheConnection(string reply)
    {
        await using var redis = new FakeRedis { ["GETRANGE"] = reply, ["STRLEN"] = ":3\r\n", ["PTTL"] = ":-1\r\n" };
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        var (failure, took) = await origin.FailsAsync();

        Assert.Equal(OriginFault.Protocol, failure.Fault);
        Assert.InRange(took.TotalMilliseconds, 0, 550);
        await OriginUnderTest.UntilAsync(() => redis.Connections >= 2); // another connection
        redis["GETRANGE"] = FakeRedis.Bulk("Ada");
        await OriginUnderTest.UntilAsync(() => origin.Origin.Health.Answers);
        Assert.Equal("Ada"u8.ToArray(), (await origin.ReadAsync("user:7")).Value);
    }

    [Theory]
    [InlineData("STRLEN", "$1\r\n9\r\n")]
    [InlineData("GET", ":7\r\n")]
    public async Task SoItDoesForAValueThatIsReadWhole(string command, string reply)
    {
        await using var redis = new FakeRedis { ["STRLEN"] = ":9\r\n", [command] = reply };
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        var failure = await Assert.ThrowsAsync<OriginException>(() => origin.Origin.ReadWholeAsync([1], 100, origin.In(400)));

        Assert.Equal(OriginFault.Protocol, failure.Fault);
        await OriginUnderTest.UntilAsync(() => redis.Connections >= 2); // another connection
    }

    [Theory]
    [InlineData("$3\r\nEve\r\n$3\r\nAda\r\n")]
    [InlineData(":3\r\n$3\r\nAda\r\n")]
    [InlineData("$3\r\nEve\r\n:3\r\n$3\r\nAda\r\n")]
    public async Task OneReplyTooManyMakesNoneAnAnswer(string reply)
    {
        await using var redis = new FakeRedis { ["GETRANGE"] = reply, ["STRLEN"] = ":3\r\n", ["PTTL"] = ":-1\r\n" };
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        // Where it comes before the rest is even asked, the connection ends of it, and that is all a read then sees.
        await origin.FailsWithAsync(OriginFault.Protocol);

        await OriginUnderTest.UntilAsync(() => redis.Connections >= 2); // another connection
        redis["GETRANGE"] = FakeRedis.Bulk("Ada");
        await OriginUnderTest.UntilAsync(() => origin.Origin.Health.Answers);
        Assert.Equal("Ada"u8.ToArray(), (await origin.ReadAsync("user:7")).Value);
    }

    [Fact]
    public async Task TruncatedReplyIsNoValue()
    {
        // To the library a connection closed in the middle of a reply is one that was lost.
        await using var redis = new FakeRedis { ["GETRANGE"] = "$10\r\nhalf" + FakeRedis.Close };
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();

        Assert.Equal(OriginFault.Unreachable, (await origin.FailsAsync()).Failure.Fault);
    }

    [Theory]
    [InlineData("*2000000000\r\n")]
    [InlineData("$2000000000\r\n")]
    public async Task ReplyThatPromisesTooMuchEndsAtTheDeadlineAndTakesNoMemory(string reply)
    {
        await using var redis = new FakeRedis { ["GETRANGE"] = reply };
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();
        var before = GC.GetTotalAllocatedBytes();

        var (failure, took) = await origin.FailsAsync();

        Assert.True(failure.Fault is OriginFault.Protocol or OriginFault.TimedOut);
        Assert.InRange(took.TotalMilliseconds, 0, 650);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 200_000_000);
        await OriginUnderTest.UntilAsync(() => redis.Connections >= 2); // silent ever since: replaced
        redis.Forget("GETRANGE");
        await origin.ServesAsync();
    }

    [SkippableFact]
    public async Task LateReplyGoesToNobodyElse()
    {
        // A Redis slower than the timeout: what was given up still takes its own reply off the line.
        await using var redis = await RedisServer.StartAsync();
        await using var origin = new OriginUnderTest(redis.Port);
        await origin.AnswersAsync();
        for (var i = 0; i < 100; i++)
        {
            await redis.CommandAsync("SET", $"user:{i}", $"value {i}");
        }

        for (var round = 0; round < 3; round++)
        {
            var sleep = redis.CommandAsync("DEBUG", "SLEEP", "0.4");
            await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Record.ExceptionAsync(() => origin.ReadAsync($"user:{i}"))));
            await sleep;
            await origin.ServesAsync();

            for (var i = 0; i < 100; i++)
            {
                Assert.Equal(OriginUnderTest.Bytes($"value {i}"), (await origin.ReadAsync($"user:{i}")).Value);
            }
        }
    }
}
