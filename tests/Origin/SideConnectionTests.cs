using System.Globalization;
using CsCheck;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Settings;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Origin;

/// <summary>The connection beside the library's: what it takes for a reply, and what it does not.</summary>
[Collection(nameof(TimedTests))]
[Trait(Beside.Name, Beside.Others)]
public sealed class SideConnectionTests
{
    private static readonly TimeSpan _atMost = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task WhatIsSentIsWhatIsTaken()
    {
        string?[] sent = [];
        await using var redis = new FakeRedis();
        redis.On("ASK", _ => $"*{sent.Length.ToString(CultureInfo.InvariantCulture)}\r\n" + string.Concat(sent.Select(text => text is null ? "$-1\r\n" : FakeRedis.Bulk(text))));
        using var connection = await OpenAsync(redis);

        await Gen.String[Gen.Char['\0', '\u00ff'], 0, 300].Null().Array[0, 8].SampleAsync(
            async texts =>
            {
                sent = texts;
                var reply = await connection.AskAsync(_atMost, "ASK");
                Assert.Null(reply.Error);
                Assert.Equal(texts, reply.Elements);
            },
            iter: 300,
            threads: 1);
    }

    [Theory]
    [InlineData("+OK\r\n", null, "OK")]
    [InlineData(":12\r\n", null, "12")]
    [InlineData("$-1\r\n", null, null)]
    [InlineData("-NOPERM no\r\n", "NOPERM no")]
    [InlineData("*-1\r\n", null)]
    public async Task EachKindOfReplyIsTaken(string reply, string? error, params string?[]? elements)
    {
        await using var redis = new FakeRedis { ["ASK"] = reply };
        using var connection = await OpenAsync(redis);

        var taken = await connection.AskAsync(_atMost, "ASK");

        Assert.Equal(error, taken.Error);
        Assert.Equal(elements ?? [null], taken.Elements);
    }

    [Theory]
    [InlineData("$-5\r\n")]
    [InlineData("$x\r\n")]
    [InlineData("$2000000000\r\n")]
    [InlineData("*2000000000\r\n")]
    [InlineData("*1\r\n*1\r\n+nested\r\n")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n")]
    [InlineData("\r\n")]
    public async Task WhatIsNoReplyIsProtocol(string reply)
    {
        await using var redis = new FakeRedis { ["ASK"] = reply };
        using var connection = await OpenAsync(redis);

        Assert.Equal(OriginFault.Protocol, (await Assert.ThrowsAsync<OriginException>(() => connection.AskAsync(_atMost, "ASK"))).Fault);
    }

    [Theory]
    [InlineData("$10\r\nhalf" + FakeRedis.Close, OriginFault.Unreachable)]
    [InlineData("$10\r\nhalf" + FakeRedis.Silence, OriginFault.TimedOut)]
    public async Task ReplyThatDoesNotComeEndsInTime(string reply, OriginFault fault)
    {
        await using var redis = new FakeRedis { ["ASK"] = reply };
        using var connection = await OpenAsync(redis);

        Assert.Equal(fault, (await Assert.ThrowsAsync<OriginException>(() => connection.AskAsync(TimeSpan.FromMilliseconds(100), "ASK"))).Fault);
    }

    private static Task<SideConnection> OpenAsync(FakeRedis redis) => SideConnection.OpenAsync(new RedisOptions(), new Server("127.0.0.1", redis.Port), _atMost);
}
