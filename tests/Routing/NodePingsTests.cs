using RpOrleans.Gateway.Near;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Routing;

public sealed class NodePingsTests
{
    private readonly SteppedTime _time = new();
    private readonly FakeNode _node = new("10.0.0.1:11111");
    private readonly NodeLink _link;

    public NodePingsTests() => _link = new NodeLink(_node.Name, 1, _time);

    [Fact]
    public async Task ANodeThatHangsIsLostAfterThreePingsAndBackWithTheFirstAnswer()
    {
        using var end = new CancellationTokenSource();
        var pings = NodePings.RunAsync(_link, _node, _time, end.Token);
        await _time.RunUntilAsync(() => _link.Usable);

        var never = new TaskCompletionSource();
        _node.Before = () => never.Task;
        var hung = _time.GetTimestamp();
        await _time.RunUntilAsync(() => !_link.Usable);
        Assert.InRange(_time.GetElapsedTime(hung).TotalMilliseconds, 250, 500);

        _node.Before = () => Task.CompletedTask;
        await _time.RunUntilAsync(() => _link.Usable);

        await end.CancelAsync();
        await _time.RunUntilAsync(() => pings.IsCompleted);
    }

    [Fact]
    public async Task ANodeThatMissesPingsButAnswersReadsIsBusyAndNotHung()
    {
        using var end = new CancellationTokenSource();
        var pings = NodePings.RunAsync(_link, _node, _time, end.Token);
        await _time.RunUntilAsync(() => _link.Usable);
        var (never, missed) = (new TaskCompletionSource(), 0);
        _node.BeforePing = () =>
        {
            missed++;
            return never.Task;
        };
        while (missed < 8)
        {
            await _link.ReadAsync(new ReadRequest([1], ReadMode.Normal), TimeSpan.FromSeconds(1));
            var before = missed;
            await _time.RunUntilAsync(() => missed > before);
            Assert.True(_link.Usable);
        }

        await _time.RunUntilAsync(() => !_link.Usable); // nothing is answered any more
        await end.CancelAsync();
        await _time.RunUntilAsync(() => pings.IsCompleted);
    }

    [Fact]
    public async Task OnePingThatIsLostMeansNothing()
    {
        using var end = new CancellationTokenSource();
        var pings = NodePings.RunAsync(_link, _node, _time, end.Token);
        await _time.RunUntilAsync(() => _link.Usable);

        var failed = 0;
        _node.Before = () => failed++ == 0 ? throw new TimeoutException() : Task.CompletedTask;
        await _time.RunUntilAsync(() => failed > 3);

        Assert.True(_link.Usable);
        await end.CancelAsync();
        await _time.RunUntilAsync(() => pings.IsCompleted);
    }

    [Fact]
    public async Task ANodeThatAnswersForItsLeaseIsNotPingedUntilThatStops()
    {
        var link = new NodeLink(_node.Name, 1, _time, lease: new NearCache(1_000_000, _time).NewLease());
        using var end = new CancellationTokenSource();
        using var lapse = new CancellationTokenSource();
        var (pinged, never) = (0, new TaskCompletionSource());
        _node.BeforePing = () =>
        {
            pinged++;
            return never.Task;
        };
        var renewing = RenewAsync();
        var pings = NodePings.RunAsync(link, _node, _time, end.Token);
        var began = _time.GetTimestamp();
        await _time.RunUntilAsync(() => _time.GetElapsedTime(began) > TimeSpan.FromSeconds(3));
        Assert.Equal((0, true), (pinged, link.Usable));

        await lapse.CancelAsync();
        var lapsed = _time.GetTimestamp();
        await _time.RunUntilAsync(() => !link.Usable);
        Assert.InRange(_time.GetElapsedTime(lapsed).TotalMilliseconds, 250, 500);
        Assert.InRange(pinged, 3, 4);

        await end.CancelAsync();
        await _time.RunUntilAsync(() => pings.IsCompleted && renewing.IsCompleted);

        async Task RenewAsync()
        {
            while (!lapse.IsCancellationRequested)
            {
                link.Heard(_node, new NodeState { Joined = true }, _time.GetTimestamp());
                await Task.Delay(TimeSpan.FromMilliseconds(100), _time);
            }
        }
    }
}
