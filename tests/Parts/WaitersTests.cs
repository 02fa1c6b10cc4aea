using RpOrleans.Grains.Loading;
using RpOrleans.Grains.Lru;
using Xunit;

namespace RpOrleans.Tests.Parts;

/// <summary>A load is waited for by so many readers, and no more.</summary>
public sealed class WaitersTests
{
    private static readonly byte[] _key = [.. "key"u8];

    [Fact]
    public void ALoadIsJoinedByAsManyAsMayAndTheNextLoadByAsManyAgain()
    {
        var flights = new SingleFlight<int>(KeyComparer.Instance, waitersAtMost: 2);
        for (var i = 0; i < 2; i++)
        {
            var flight = flights.Begin(_key, session: 1);
            flight.Load = Task.FromResult(7);

            Assert.Equal([true, true, false, false], Enumerable.Range(0, 4).Select(_ => flights.TryJoin(flight)));
            Assert.True(flights.End(flight));
        }
    }

    [Fact]
    public async Task TheNextLoadIsJoinedByAsManyAsMayAndTheOneAfterItByAsManyAgain()
    {
        var flights = new NextFlight<int>(KeyComparer.Instance, waitersAtMost: 2);
        var running = new TaskCompletionSource<int>();
        var first = flights.Run(_key, () => running.Task, out var joined);
        Assert.False(joined);
        for (var i = 0; i < 2; i++)
        {
            var next = new TaskCompletionSource<int>();
            var waiting = flights.Run(_key, () => next.Task, out joined);
            Assert.False(joined);
            for (var reader = 0; reader < 2; reader++)
            {
                Assert.Same(waiting, flights.Run(_key, () => throw new InvalidOperationException("It is joined."), out joined));
                Assert.True(joined);
            }

            Assert.Null(flights.Run(_key, () => throw new InvalidOperationException("It is refused."), out joined));
            Assert.False(joined);
            running.SetResult(i);
            Assert.Equal(i, await first!);
            (running, first) = (next, waiting);
        }

        running.SetResult(2);
        Assert.Equal(2, await first!);
        Assert.NotNull(flights.Run(_key, () => Task.FromResult(3), out _));
    }
}
