using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;

namespace RpOrleans.Tests.Routing;

public sealed class ReadMergerTests
{
    private readonly Soon _soon = new();
    private readonly List<(ReadRequest Request, TaskCompletionSource<Lookup> Answer)> _sent = [];
    private readonly ReadMerger _reads;

    public ReadMergerTests() => _reads = new ReadMerger((request, _) =>
    {
        var answer = new TaskCompletionSource<Lookup>();
        _sent.Add((request, answer));
        return answer.Task;
    });

    [Fact]
    public async Task ReadsOfOneKeyThatComeTogetherAreOneCall()
    {
        var (one, other, third) = (Read("user:7"), Read("user:7"), Read("user:8"));
        _soon.Run();

        Assert.Equal(2, _sent.Count);
        _sent[0].Answer.SetResult(new Lookup { Source = LookupSource.Origin });
        _sent[1].Answer.SetResult(new Lookup { Source = LookupSource.Origin });
        Assert.Equal((LookupSource.Origin, LookupSource.Collapsed, LookupSource.Origin), ((await one).Source, (await other).Source, (await third).Source));
    }

    [Fact]
    public async Task AReadThatWasSentIsNotJoined()
    {
        var earlier = Read("user:7");
        _soon.Run();

        var later = Read("user:7");
        _soon.Run();

        Assert.Equal(2, _sent.Count);
        _sent[0].Answer.SetResult(new Lookup { Source = LookupSource.Origin, AgeMilliseconds = 1 });
        _sent[1].Answer.SetResult(new Lookup { Source = LookupSource.Cache, AgeMilliseconds = 2 });
        Assert.Equal((1, 2), ((await earlier).AgeMilliseconds, (await later).AgeMilliseconds));
    }

    [Fact]
    public async Task ACallThatFailsFailsForAllWhoWait()
    {
        var (one, other) = (Read("user:7"), Read("user:7"));
        _soon.Run();

        Assert.Single(_sent).Answer.SetException(new NodeUnavailableException(NodeFault.Lost, null));

        await Assert.ThrowsAsync<NodeUnavailableException>(() => one);
        await Assert.ThrowsAsync<NodeUnavailableException>(() => other);
    }

    private Task<Lookup> Read(string key)
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(_soon);
        try
        {
            return _reads.ReadAsync(new ReadRequest(System.Text.Encoding.UTF8.GetBytes(key), ReadMode.Normal), TimeSpan.FromSeconds(1));
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    /// <summary>What is to run soon, held in the hand.</summary>
    private sealed class Soon : SynchronizationContext
    {
        private readonly Queue<(SendOrPostCallback Callback, object? State)> _queue = [];

        public override void Post(SendOrPostCallback d, object? state) => _queue.Enqueue((d, state));

        public void Run()
        {
            while (_queue.TryDequeue(out var item))
            {
                item.Callback(item.State);
            }
        }
    }
}
