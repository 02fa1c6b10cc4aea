using CsCheck;
using RpOrleans.Grains.Lru;
using Xunit;

namespace RpOrleans.Tests.Parts;

public sealed class TimerWheelTests
{
    private const long Nanoseconds = 1_000_000_000; // timestamps in a second, on Linux
    private static readonly TimeSpan _twoTicks = TimeSpan.FromMilliseconds(100);

    [Fact]
    public void EntriesAreDueNeverBeforeTheirExpiryAndAtMostTwoTicksAfterIt() =>
        Gen.Select(
                Gen.OneOf(Gen.Const(Nanoseconds), Gen.Const(10_000_000L), Gen.Const(24_000_001L), Gen.Const(1_000L)),
                Gen.Select(Seconds(3e8), Seconds(3e7)).Array[1, 200]) // a life, and how long until the next comes
            .Sample((frequency, arrivals) =>
            {
                var entries = new EntryTable();
                var wheel = new TimerWheel(entries, start: -frequency, frequency);
                List<int> waiting = [];
                var now = -frequency;
                foreach (var (life, pause) in arrivals)
                {
                    var entry = Add(entries, wheel, expiresAt: now + Math.Max(1, (long)(life * frequency)));
                    waiting.Add(entry);
                    now += (long)(pause * frequency);

                    var steps = int.MaxValue;
                    while (wheel.NextDue(now, ref steps) is not 0 and var due)
                    {
                        Assert.True(entries[due].ExpiresAt <= now, "Due before its expiry.");
                        Assert.True(waiting.Remove(due), "Due twice.");
                        wheel.Remove(due);
                        entries.Remove(due);
                    }

                    var late = now - (long)(_twoTicks.TotalSeconds * frequency);
                    Assert.DoesNotContain(waiting, missed => entries[missed].ExpiresAt <= late);
                }
            },
            iter: 5_000);

    [Fact]
    public void AJumpOfAThousandYearsCostsOnlyTheEntriesThereAre()
    {
        const long frequency = 10_000_000;
        var entries = new EntryTable();
        var wheel = new TimerWheel(entries, start: 0, frequency);
        for (var second = 1; second <= 1_000; second++)
        {
            Add(entries, wheel, expiresAt: second * frequency);
        }

        var steps = int.MaxValue;
        var due = 0;
        while (wheel.NextDue(1_000L * 365 * 86_400 * frequency, ref steps) is not 0 and var entry)
        {
            wheel.Remove(entry);
            due++;
        }

        Assert.Equal(1_000, due);
        Assert.InRange(int.MaxValue - steps, 1_000, 4_000); // a thousand seconds have three digits: down twice, and out
    }

    [Fact]
    public void StepsThatAreUsedUpAreTakenUpByTheNextCallAndNoneIsMissedThatWasAddedBetween()
    {
        const long second = Nanoseconds;
        var entries = new EntryTable();
        var wheel = new TimerWheel(entries, start: 0, Nanoseconds);
        for (var i = 0; i < 500; i++)
        {
            Add(entries, wheel, expiresAt: (60 * second) + (i * second / 100));
        }

        var now = 62 * second; // the buckets of the second wheel are half emptied at most times
        var (added, removed) = (500, 0);
        for (var call = 0; call < 5_000; call++)
        {
            var steps = 1;
            if (wheel.NextDue(now, ref steps) is not 0 and var due)
            {
                Assert.True(entries[due].ExpiresAt <= now);
                wheel.Remove(due);
                entries.Remove(due);
                removed++;
            }

            if (call < 1_000)
            {
                now += second / 1_000;
                Add(entries, wheel, expiresAt: now + (second / 100 * (1 + (call % 300))));
                added++;
            }
            else
            {
                now += second;
            }
        }

        Assert.Equal(added, removed);
    }

    private static int Add(EntryTable entries, TimerWheel wheel, long expiresAt)
    {
        var number = entries.Add();
        entries[number].ExpiresAt = expiresAt;
        wheel.Add(number);
        return number;
    }

    /// <summary>Seconds from none to many, the short ones as often as the long ones.</summary>
    private static Gen<double> Seconds(double most) => Gen.Frequency(
        (1, Gen.Const(0.0)),
        (1, Gen.Const(0.05)),
        (8, Gen.Double[-3, Math.Log10(most)].Select(exponent => Math.Pow(10, exponent))));
}
