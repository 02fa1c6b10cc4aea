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
            (i, Encoding.UTF8.GetString(await ValueAsync(batcher, Encoding.UTF8.GetBytes($"{i}")))))));

        Assert.All(answers, answer => Assert.Equal($"{answer.i}", answer.Item2));
    }

    [Fact]
    public async Task ReadersThatArriveDuringACallGoTogetherInTheNext()
    {
        var calls = new ConcurrentQueue<int>();
        var held = new TaskCompletionSource();
        var batcher = new PeekBatcher(async keys =>
        {
            calls.Enqueue(keys.Count);
            await held.Task;
            return await EchoAsync(keys);
        });

        var first = batcher.PeekAsync(KeyBatch.Of([1])).AsTask();
        var others = Enumerable.Range(0, 100).Select(_ => batcher.PeekAsync(KeyBatch.Of([2])).AsTask()).ToArray();
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

        await Assert.ThrowsAsync<NodeUnavailableException>(() => batcher.PeekAsync(KeyBatch.Of([1])).AsTask());
        fail = false;

        Assert.Equal(LookupStatus.Found, (await batcher.PeekAsync(KeyBatch.Of([1]))).Next(out _).Status);
    }

    [Fact]
    public async Task ManyKeysOfOneReaderAreAnsweredInTheirOrderBesideOthers()
    {
        var batcher = new PeekBatcher(EchoAsync);

        var readers = Enumerable.Range(0, 1_000).Select(i => Task.Run(async () =>
        {
            byte[][] keys = [.. Enumerable.Range(0, 1 + (i % 40)).Select(k => Encoding.UTF8.GetBytes($"{i}:{k}"))];
            var answers = await batcher.PeekAsync(KeyBatch.Of(keys));
            foreach (var key in keys)
            {
                answers.Next(out var value);
                Assert.Equal(key, value.ToArray());
            }
        }));

        await Task.WhenAll(readers);
    }

    private static async Task<byte[]> ValueAsync(PeekBatcher batcher, byte[] key)
    {
        (await batcher.PeekAsync(KeyBatch.Of(key))).Next(out var value);
        return value.ToArray();
    }

    private static async Task<LookupBatch> EchoAsync(KeyBatch keys)
    {
        await Task.Yield();
        return LookupBatch.Of([.. keys.ToList().Select(key => new Lookup { Status = LookupStatus.Found, Value = key })]);
    }
}
