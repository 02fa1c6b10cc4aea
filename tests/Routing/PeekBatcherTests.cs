using System.Collections.Concurrent;
using System.Text;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;

namespace RpOrleans.Tests.Routing;

public sealed class PeekBatcherTests
{
    [Fact]
    public async Task EveryReaderGetsTheAnswerToItsOwnKey()
    {
        var batcher = new PeekBatcher(EchoAsync);

        var answers = await Task.WhenAll(Enumerable.Range(0, 10_000).Select(i => Task.Run(async () =>
            (i, Encoding.UTF8.GetString((await batcher.PeekAsync(Encoding.UTF8.GetBytes($"{i}"))).Value!)))));

        Assert.All(answers, answer => Assert.Equal($"{answer.i}", answer.Item2));
    }

    [Fact]
    public async Task ReadersThatArriveDuringACallGoTogetherInTheNext()
    {
        var calls = new ConcurrentQueue<int>();
        var held = new TaskCompletionSource();
        var batcher = new PeekBatcher(async keys =>
        {
            calls.Enqueue(keys.Keys.Length);
            await held.Task;
            return await EchoAsync(keys);
        });

        var first = batcher.PeekAsync([1]).AsTask();
        var others = Enumerable.Range(0, 100).Select(_ => batcher.PeekAsync([2]).AsTask()).ToArray();
        Assert.Equal([1], calls);
        held.SetResult();
        await Task.WhenAll([first, .. others]);

        Assert.Equal([1, 100], calls);
    }

    [Fact]
    public async Task AFailedCallFailsItsReadersAndNoOthers()
    {
        var fail = true;
        var batcher = new PeekBatcher(keys => fail ? throw new NodeUnavailableException(NodeFault.Lost, null) : EchoAsync(keys));

        await Assert.ThrowsAsync<NodeUnavailableException>(() => batcher.PeekAsync([1]).AsTask());
        fail = false;

        Assert.Equal(LookupStatus.Found, (await batcher.PeekAsync([1])).Status);
    }

    private static async Task<LookupBatch> EchoAsync(KeyBatch keys)
    {
        await Task.Yield();
        return new LookupBatch([.. keys.Keys.Select(key => new Lookup { Status = LookupStatus.Found, Value = key })]);
    }
}
