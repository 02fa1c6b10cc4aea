using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;

namespace RpOrleans.Tests.Routing;

public sealed class WrittenBatcherTests
{
    private readonly ConcurrentQueue<WrittenKeys> _calls = new();
    private readonly ConcurrentQueue<TaskCompletionSource> _held = new();
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task WhatIsWrittenDuringACallIsSettledByTheNextAndNotByThatOne()
    {
        var batcher = new WrittenBatcher(HoldAsync, _time);

        var first = batcher.SettleAsync(new WrittenKeys([[1]]));
        var others = Enumerable.Range(2, 9).Select(i => batcher.SettleAsync(new WrittenKeys([[(byte)i]]))).ToList();
        Release();
        await first;

        Assert.All(others, other => Assert.False(other.IsCompleted));
        await Support.Eventually.TrueAsync(() => Task.FromResult(_calls.Count == 2), TimeSpan.FromSeconds(10), "the next call is made");
        Release();
        await Task.WhenAll(others);
        Assert.Equal([1, 9], _calls.Select(call => call.Keys!.Length));
    }

    [Fact]
    public async Task AnyKeyAmongThemIsAnyKeyForAll()
    {
        var batcher = new WrittenBatcher(HoldAsync, _time);

        var first = batcher.SettleAsync(new WrittenKeys([[1]]));
        var any = batcher.SettleAsync(new WrittenKeys(null));
        var other = batcher.SettleAsync(new WrittenKeys([[2]]));
        Release();
        await first;
        await Support.Eventually.TrueAsync(() => Task.FromResult(_calls.Count == 2), TimeSpan.FromSeconds(10), "the next call is made");
        Release();
        await Task.WhenAll(any, other);

        Assert.Null(_calls.Last().Keys);
    }

    [Fact]
    public async Task NobodyWaitsForACallThatTakesLong()
    {
        var batcher = new WrittenBatcher(HoldAsync, _time);
        var slow = batcher.SettleAsync(new WrittenKeys([[1]]));
        _held.TryDequeue(out _); // it is not answered
        var waiting = batcher.SettleAsync(new WrittenKeys([[2]]));
        var alike = batcher.SettleAsync(new WrittenKeys([[3]]));
        Assert.Single(_calls);

        _time.Advance(TimeSpan.FromMilliseconds(20)); // and nobody comes who would push them on

        await Support.Eventually.TrueAsync(() => Task.FromResult(_calls.Count == 2), TimeSpan.FromSeconds(10), "the next call is made");
        Release();
        await Task.WhenAll(waiting, alike);
        Assert.False(slow.IsCompleted);
        Assert.Equal([1, 2], _calls.Select(call => call.Keys!.Length));
    }

    [Fact]
    public async Task AFailureIsThatOfItsCallOnly()
    {
        var fail = true;
        var batcher = new WrittenBatcher(_ => fail ? throw new NodeUnavailableException(NodeFault.Lost, null) : Task.CompletedTask, _time);

        await Assert.ThrowsAsync<NodeUnavailableException>(() => batcher.SettleAsync(new WrittenKeys([[1]])));
        fail = false;
        await batcher.SettleAsync(new WrittenKeys([[1]]));
    }

    private Task HoldAsync(WrittenKeys written)
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _held.Enqueue(held);
        _calls.Enqueue(written);
        return held.Task;
    }

    private void Release()
    {
        Assert.True(_held.TryDequeue(out var held));
        held.SetResult();
    }
}
