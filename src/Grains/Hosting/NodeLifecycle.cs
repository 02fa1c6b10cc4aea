using Orleans.Runtime;
using Polly;
using Polly.Retry;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Placement;

namespace RpOrleans.Grains.Hosting;

/// <summary>
/// How a node comes and goes. Its grain is there, and Redis called, before the first reader. When it is told to stop it says
/// so first: gateways hear it with the next answer to a ping or a lease, and go on to the next in the ring. Only when nobody asks it any more does
/// it leave the cluster.
/// </summary>
internal sealed class NodeLifecycle(
    IGrainFactory grains, ILocalSiloDetails silo, Ownership ownership, Joining joining, Leases leases, NodeMetrics metrics, TimeProvider time) : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>Gateways hear from a node every 130 ms at least (NodePings): after more than twice that, all that can hear it have heard it.</summary>
    private static readonly TimeSpan _heard = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan _atMost = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The directory in which a node finds its own grain is shared out among all. In a node that comes back at once where one was
    /// killed, it may ask another that has not heard of either, and turns it away, until the others have read the membership table.
    /// </summary>
    private readonly ResiliencePipeline _untilKnown = new ResiliencePipelineBuilder { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<OrleansException>().Handle<TimeoutException>(),
            Delay = TimeSpan.FromMilliseconds(100),
            MaxRetryAttempts = 100, // ten times as long as a table that can be read goes unread
        })
        .Build();

    private Task? _drained;

    // The highest stage is stopped first: the silo is still active then, and answers.
    public void Participate(ISiloLifecycle lifecycle) =>
        lifecycle.Subscribe(nameof(NodeLifecycle), ServiceLifecycleStage.Active, ActivateAsync, DrainAsync);

    /// <summary>Says that the node is about to leave, and waits until nobody asks it any more; once.</summary>
    public Task DrainAsync(CancellationToken cancellation) => _drained ??= DrainOnceAsync(cancellation);

    private async Task ActivateAsync(CancellationToken cancellation)
    {
        if (ownership.Others.Any())
        {
            leases.ExpectUnknown(); // one that was here before may have granted copies
        }

        var self = grains.GetGrain<ICacheGrain>(silo.SiloAddress.ToParsableString());
        await _untilKnown.ExecuteAsync(async _ => await self.PingAsync(), cancellation);
        await self.PeekAsync(KeyBatch.Of([])); // what takes time the first time
        _ = Task.Run(joining.RunAsync, CancellationToken.None); // serves meanwhile
    }

    private async Task DrainOnceAsync(CancellationToken cancellation)
    {
        ownership.Drain();
        var started = time.GetTimestamp();
        long asked;
        do
        {
            asked = metrics.Requests;
            await Task.Delay(_heard, time, CancellationToken.None);
        }
        while ((metrics.Requests != asked || metrics.WritesUnderWay > 0) && time.GetElapsedTime(started) < _atMost && !cancellation.IsCancellationRequested);
        await leases.ReleasedAsync(null); // of what it let go of when it began to leave
    }
}
