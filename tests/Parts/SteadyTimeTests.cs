using Microsoft.Extensions.Time.Testing;
using RpOrleans.Grains.Hosting;

namespace RpOrleans.Tests.Parts;

public sealed class SteadyTimeTests
{
    [Fact]
    public void TheTimeOfDayGoesOnThoughTheClockIsSet()
    {
        var clock = new SetClock { Day = DateTimeOffset.UnixEpoch, Timestamp = 1_000 };
        var steady = new SteadyTime(clock);

        clock.Timestamp += 2 * clock.TimestampFrequency;
        clock.Day -= TimeSpan.FromHours(1);
        Assert.Equal(DateTimeOffset.UnixEpoch.AddSeconds(2), steady.GetUtcNow());

        clock.Day += TimeSpan.FromDays(1);
        Assert.Equal(DateTimeOffset.UnixEpoch.AddSeconds(2), steady.GetUtcNow());
        Assert.Equal(clock.Timestamp, steady.GetTimestamp());
    }

    [Fact]
    public void ItsTimersAreTheClocksOwn()
    {
        var (clock, fired) = (new FakeTimeProvider(), 0);
        using var timer = new SteadyTime(clock).CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);

        clock.Advance(TimeSpan.FromSeconds(0.9));
        Assert.Equal(0, fired);
        clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(1, fired);
    }

    /// <summary>A clock of which day and timestamp are set apart.</summary>
    private sealed class SetClock : TimeProvider
    {
        public DateTimeOffset Day { get; set; }

        public long Timestamp { get; set; }

        public override DateTimeOffset GetUtcNow() => Day;

        public override long GetTimestamp() => Timestamp;
    }
}
