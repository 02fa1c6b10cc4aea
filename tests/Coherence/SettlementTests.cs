using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Settings;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Coherence;

/// <summary>What a node does before it acknowledges a write of a key that it does not own.</summary>
public sealed class SettlementTests
{
    private static readonly byte[] _key = "user:7"u8.ToArray();
    private static readonly TaskCompletionSource _never = new();

    private readonly SteppedTime _time = new();
    private readonly FakeMembership _cluster = new();
    private readonly FakeNode _one = new("1"), _two = new("2"), _three = new("3");

    public SettlementTests() => _cluster.With(1, _one).With(2, _two).With(3, _three).Table(5, seen: true, 0, 1, 2);

    [Fact]
    public async Task EveryOtherNodeOfTheViewDropsItsCopyAndNoTimePasses()
    {
        await SettleAsync();

        Assert.Equal(5, Assert.Single(_one.Settled).View);
        Assert.Equal(_key, Assert.Single(Assert.Single(_two.Settled).Keys!));
        Assert.Empty(_three.Settled);
    }

    [Fact]
    public async Task ANodeThatIsOnlyInANewerViewIsAskedToo()
    {
        _cluster.Table(6, seen: false, 0, 1, 2, 3);
        _two.View = 6;

        await SettleAsync();

        Assert.Single(_three.Settled);
        Assert.Single(_one.Settled);
    }

    [Fact]
    public async Task ForANodeThatDoesNotAnswerTheBoundIsWaitedFor()
    {
        _one.Before = () => _never.Task;

        Assert.Equal(TimeSpan.FromSeconds(0.5), await TimeOfSettlingAsync());
    }

    [Fact]
    public async Task ForANodeThatCannotBeReachedTheBoundIsWaitedFor()
    {
        _one.Before = () => throw new Orleans.Runtime.SiloUnavailableException();

        Assert.Equal(TimeSpan.FromSeconds(0.5), await TimeOfSettlingAsync());
    }

    [Fact]
    public async Task ForANodeThatWasRemovedBeforeItSettledTheBoundIsWaitedForAllTheSame()
    {
        _one.Before = () =>
        {
            _cluster.Table(6, seen: true, 0, 2);
            throw new Orleans.Runtime.SiloUnavailableException();
        };

        Assert.Equal(TimeSpan.FromSeconds(0.5), await TimeOfSettlingAsync());
    }

    private async Task<TimeSpan> TimeOfSettlingAsync()
    {
        var started = _time.GetTimestamp();
        var settling = SettleAsync();
        await _time.RunUntilAsync(() => settling.IsCompleted);
        await settling;
        return _time.GetElapsedTime(started);
    }

    private Task SettleAsync() => new Settlement(_cluster.Grains, _cluster.Ownership, new CoherenceOptions(), _time).SettleAsync([_key]);
}
