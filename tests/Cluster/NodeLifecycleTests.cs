using System.Reflection;
using Orleans.Runtime;
using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Hosting;
using RpOrleans.Grains.Lru;
using RpOrleans.Grains.Placement;
using RpOrleans.Grains.Settings;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Cluster;

public sealed class NodeLifecycleTests
{
    private readonly SteppedTime _time = new();
    private readonly FakeNode _self = new("this");
    private readonly FakeMembership _cluster = new();
    private readonly Stages _stages = new();

    public NodeLifecycleTests()
    {
        _cluster.With(0, _self).Table(5, seen: true, 0);
        var joining = new Joining(_cluster.Grains, _cluster.Ownership, _time);
        var leases = new Leases(new CoherenceOptions(), new Session(_time), _time);
        new NodeLifecycle(_cluster.Grains, _cluster, _cluster.Ownership, joining, leases, new NodeMetrics(new LruCache(1, 1, _time)), _time).Participate(_stages);
    }

    // Seen when a node was started again two seconds after it had been killed: it ended.
    [Fact]
    public async Task ANodeStartsThoughTheOthersStillKnowTheOneThatWasKilledInItsPlace()
    {
        var turnedAway = 0;
        _self.BeforePing = () => ++turnedAway <= 12 ? throw TurnedAway() : Task.CompletedTask;

        var starting = _stages.Observer!.OnStart(CancellationToken.None);
        await _time.RunUntilAsync(() => starting.IsCompleted);

        await starting;
        Assert.Equal(13, turnedAway);
        await _time.RunUntilAsync(() => _cluster.Ownership.Joined);
    }

    [Fact]
    public async Task ANodeThatIsNeverLetInSaysWhyAndEnds()
    {
        _self.BeforePing = () => throw TurnedAway();

        var (began, starting) = (_time.GetTimestamp(), _stages.Observer!.OnStart(CancellationToken.None));
        await _time.RunUntilAsync(() => starting.IsCompleted);

        await Assert.ThrowsAsync<OrleansMessageRejectionException>(() => starting);
        Assert.InRange(_time.GetElapsedTime(began).TotalSeconds, 9, 12);
    }

    // Only Orleans itself makes these.
    private static OrleansMessageRejectionException TurnedAway() =>
        (OrleansMessageRejectionException)Activator.CreateInstance(
            typeof(OrleansMessageRejectionException), BindingFlags.Instance | BindingFlags.NonPublic, null, ["The target silo is no longer active"], null)!;

    private sealed class Stages : ISiloLifecycle
    {
        public ILifecycleObserver? Observer { get; private set; }

        public int HighestCompletedStage => 0;

        public int LowestStoppedStage => int.MaxValue;

        public IDisposable Subscribe(string observerName, int stage, ILifecycleObserver observer)
        {
            Observer = observer;
            return new MemoryStream();
        }
    }
}
