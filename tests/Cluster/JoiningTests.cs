using RpOrleans.Grains.Placement;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Cluster;

/// <summary>When a node that has started becomes the owner of its keys.</summary>
public sealed class JoiningTests
{
    private readonly SteppedTime _time = new();
    private readonly FakeMembership _cluster = new();
    private readonly FakeNode _one = new("1") { View = 4 }, _two = new("2") { View = 4 };
    private readonly byte[][] _keys = [.. Enumerable.Range(0, 100).Select(i => BitConverter.GetBytes(i))];

    public JoiningTests() => _cluster.With(1, _one).With(2, _two);

    [Fact]
    public async Task ANodeOwnsNothingUntilEveryOtherHasConfirmedAViewThatItIsIn()
    {
        _cluster.Table(5, seen: true, 0, 1, 2);
        var joining = StartJoining();
        _one.View = 5;
        await _time.RunUntilAsync(() => _time.GetElapsedTime(0) > TimeSpan.FromSeconds(0.5));
        Assert.Empty(_two.Confirmed); // gateways may not have reached it yet
        await _time.RunUntilAsync(() => _two.Confirmed.Count >= 3);
        Assert.False(_cluster.Ownership.Joined);
        Assert.DoesNotContain(_keys, key => _cluster.Ownership.Owns(key));

        _two.View = 5;
        await _time.RunUntilAsync(() => joining.IsCompleted);

        Assert.True(_cluster.Ownership.Joined);
        Assert.InRange(_keys.Count(key => _cluster.Ownership.Owns(key)), 10, 60);
        Assert.All(_two.Confirmed, view => Assert.Equal(5, view));
    }

    [Fact]
    public async Task ANodeThatDoesNotAnswerIsWaitedForUntilItIsDeclaredDead()
    {
        _cluster.Table(5, seen: true, 0, 1, 2);
        _one.View = 5;
        _two.Before = () => throw new TimeoutException();
        var joining = StartJoining();
        await _time.RunUntilAsync(() => _two.Confirmed.Count >= 3);
        Assert.False(joining.IsCompleted);

        _cluster.Table(6, seen: true, 0, 1);
        await _time.RunUntilAsync(() => joining.IsCompleted);

        Assert.True(_cluster.Ownership.Joined);
    }

    [Fact]
    public async Task ANodeWaitsUntilItIsActiveItself()
    {
        _cluster.Table(5, seen: true, 1);
        var joining = StartJoining();
        await _time.RunUntilAsync(() => _time.GetElapsedTime(0) > TimeSpan.FromSeconds(1));
        Assert.Empty(_one.Confirmed);

        _cluster.Table(6, seen: true, 0, 1);
        _one.View = 6;
        await _time.RunUntilAsync(() => joining.IsCompleted);

        Assert.Equal(6, Assert.Single(_one.Confirmed));
    }

    [Fact]
    public void ANodeThatIsAloneOwnsEverythingAtOnce()
    {
        _cluster.Table(5, seen: true, 0);

        Assert.All(_keys, key => Assert.True(_cluster.Ownership.Owns(key)));
    }

    [Fact]
    public void WhoBecomesActiveLaterTakesNoKeyUntilItAsks()
    {
        _cluster.Table(5, seen: true, 0, 1);
        _cluster.Ownership.Admit();
        _cluster.Ownership.Join();
        var before = Owned();
        var version = _cluster.Ownership.Version;

        _cluster.Table(6, seen: true, 0, 1, 2);
        Assert.Equal(before, Owned());
        Assert.Equal(version, _cluster.Ownership.Version);

        Assert.Equal(6, _cluster.Ownership.Admit());
        var after = Owned();
        Assert.InRange(after.Count, 10, before.Count - 5);
        Assert.Empty(after.Except(before));
        Assert.NotEqual(version, _cluster.Ownership.Version);

        _cluster.Table(7, seen: true, 0, 1);
        Assert.Equal(before, Owned());
        _cluster.Table(8, seen: true, 0, 1, 2); // another that starts at the same address asks anew
        Assert.Equal(before, Owned());
    }

    // It finds this node in no view of its own start, and so asks it for nothing.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhoIsActiveBeforeThisNodeTakesItsKeysUnasked(bool seenWhileStarting)
    {
        if (seenWhileStarting)
        {
            _cluster.Table(4, seen: true, 1);
            Assert.DoesNotContain(_keys, key => _cluster.Ownership.Owns(key));
        }

        _cluster.Table(5, seen: true, 1, 2);
        _ = _cluster.Ownership.Version;
        _cluster.Table(6, seen: true, 0, 1, 2);
        _cluster.Ownership.Join();

        Assert.InRange(_keys.Count(key => _cluster.Ownership.Owns(key)), 10, 60);
    }

    private List<byte[]> Owned() => [.. _keys.Where(key => _cluster.Ownership.Owns(key))];

    private Task StartJoining() => new Joining(_cluster.Grains, _cluster.Ownership, _time).RunAsync();
}
