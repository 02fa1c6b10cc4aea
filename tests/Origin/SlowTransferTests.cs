using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Settings;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Origin;

/// <summary>What takes longer than <c>REDIS_TIMEOUT</c> only because there is much of it is no failure, and no sign of one.</summary>
[Collection(nameof(TimedTests))]
[Trait(Beside.Name, Beside.Others)]
public class SlowTransferTests
{
    private const int Within = 5_000;

    // 16 KiB each time: what is asked for first, 128 KiB, comes well within 250 ms, and all 768 KiB come in some 600.
    private static readonly TimeSpan _pace = TimeSpan.FromMilliseconds(12);

    private static readonly byte[] _value = [.. Enumerable.Range(0, 768 * 1024).Select(i => (byte)(i * 31))];

    [SkippableFact]
    public async Task LongValueIsReadWholeAndTheBreakerStaysClosed()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = new FaultProxy(redis.Port, seed: 5);
        await using var origin = Start(proxy.Port);
        await origin.AnswersAsync();
        await origin.Origin.WriteAsync(new OriginWrite([1], _value, null, OnlyIfAbsent: false), origin.In(Within));

        proxy.Set(ProxyFault.Delay, _pace);
        var reading = origin.Origin.ReadAsync([1], origin.In(Within));
        var failed = false;
        while (!reading.IsCompleted)
        {
            failed |= !origin.Origin.Health.Answers;
            await Task.Delay(5);
        }

        var read = await reading;
        Assert.Equal((OriginValueKind.Found, null), (read.Kind, read.TimeToLive));
        Assert.True(_value.AsSpan().SequenceEqual(read.Value));
        Assert.False(failed);
    }

    [SkippableFact]
    public async Task LongValueIsWrittenAndReadBack()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var proxy = new FaultProxy(redis.Port, seed: 6);
        await using var origin = Start(proxy.Port);
        await origin.AnswersAsync();

        proxy.Set(ProxyFault.Delay, _pace);
        var written = await origin.Origin.WriteAsync(new OriginWrite([1], _value, null, OnlyIfAbsent: false), origin.In(Within));

        Assert.True(written.Done);
        Assert.True(_value.AsSpan().SequenceEqual(written.Now!.Value.Value));
    }

    [Fact]
    public async Task ValueTooLargeToKeepHasTimeByItsLength()
    {
        const int Length = 64 * 1024 * 1024; // a second's worth
        await using var redis = new FakeRedis { ["STRLEN"] = $":{Length}\r\n" };
        redis.On("GET", _ =>
        {
            Thread.Sleep(600); // longer than without regard to its length
            return FakeRedis.Bulk("as if it were so long");
        });
        await using var origin = Start(redis.Port);
        await origin.AnswersAsync();

        var read = await origin.Origin.ReadWholeAsync([1], Length, origin.In(400));

        Assert.Equal(OriginValueKind.Found, read.Kind);
        Assert.True(origin.Origin.Health.Answers);
    }

    private static OriginUnderTest Start(int port) =>
        new(new RedisOptions { Host = "127.0.0.1", Port = port, Timeout = TimeSpan.FromMilliseconds(250) }, maximumValueBytes: 1024 * 1024);
}
