using System.Collections.Concurrent;
using System.Text;
using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Tests.Support;

/// <summary>A node's cache as a gateway sees it, that does as it is told.</summary>
internal sealed class FakeNode(string name) : ICacheGrain
{
    public string Name => name;

    /// <summary>What every call does before it is answered: nothing, throw, or wait for ever.</summary>
    public Func<Task> Before { get; set; } = () => Task.CompletedTask;

    /// <summary>What a ping does before that.</summary>
    public Func<Task> BeforePing { get; set; } = () => Task.CompletedTask;

    public bool Draining { get; set; }

    /// <summary>Keys that are held; all others are read from the origin.</summary>
    public ConcurrentDictionary<string, string> Held { get; } = new();

    public ConcurrentQueue<int> Batches { get; } = new();

    public ConcurrentQueue<ReadRequest> Reads { get; } = new();

    public ConcurrentQueue<WriteRequest> Writes { get; } = new();

    public ConcurrentQueue<SettleRequest> Settled { get; } = new();

    public ConcurrentQueue<WrittenKeys> Written { get; } = new();

    public ConcurrentQueue<long> Confirmed { get; } = new();

    /// <summary>The version of its view.</summary>
    public long View { get; set; }

    /// <summary>A copy that it answers with where Redis fails.</summary>
    public string? Unconfirmed { get; set; }

    /// <summary>What Redis does to its reads and writes.</summary>
    public OriginFault Fault { get; set; }

    /// <summary>Whether it says so at once, its breaker being open.</summary>
    public bool Refuses { get; set; }

    public async ValueTask<LookupBatch> PeekAsync(KeyBatch keys)
    {
        Batches.Enqueue(keys.Count);
        await Before();
        return LookupBatch.Of([.. keys.ToList().Select(key => Held.TryGetValue(Encoding.UTF8.GetString(key), out var value)
            ? new Lookup { Status = LookupStatus.Found, Source = LookupSource.Cache, Freshness = Freshness.Tracking, Value = Encoding.UTF8.GetBytes(value) }
            : Stale ?? (Refuses ? Lookup.Failed(Fault) : default))]);
    }

    public ValueTask<LeaseAnswer> LeaseAsync(LeaseRequest request) => throw new NotSupportedException();

    public async ValueTask<Lookup> ReadAsync(ReadRequest request)
    {
        Reads.Enqueue(request);
        await Before();
        return Fault != OriginFault.None
            ? Stale ?? Lookup.Failed(Fault)
            : new Lookup { Status = LookupStatus.Found, Source = LookupSource.Origin, Value = Encoding.UTF8.GetBytes($"from {name}") };
    }

    public async ValueTask<WriteOutcome> WriteAsync(WriteRequest request)
    {
        Writes.Enqueue(request);
        await Before();
        return Fault == OriginFault.None
            ? new WriteOutcome { Status = WriteStatus.Done }
            : new WriteOutcome { Status = WriteStatus.Failed, Fault = Fault, OutcomeUnknown = Fault == OriginFault.TimedOut };
    }

    public ValueTask<Explanation> ExplainAsync(byte[] key) => ValueTask.FromResult(new Explanation { Node = name, Owner = true });

    public async ValueTask WrittenAsync(WrittenKeys written)
    {
        Written.Enqueue(written);
        await Before();
    }

    public async ValueTask<long> SettleAsync(SettleRequest request)
    {
        Settled.Enqueue(request);
        await Before();
        return Math.Max(View, request.View);
    }

    public async ValueTask<long> ConfirmAsync(long view)
    {
        Confirmed.Enqueue(view);
        await Before();
        return View;
    }

    public async ValueTask<NodeState> PingAsync()
    {
        await BeforePing();
        await Before();
        return new NodeState { Draining = Draining, OriginFault = Fault, Joined = true };
    }

    public ValueTask<NodeStats> StatsAsync() => ValueTask.FromResult(new NodeStats { Node = name });

    private Lookup? Stale => Fault != OriginFault.None && Unconfirmed is { } value
        ? new Lookup { Status = LookupStatus.Found, Source = LookupSource.Cache, Freshness = Freshness.Unconfirmed, Value = Encoding.UTF8.GetBytes(value) }
        : null;
}
