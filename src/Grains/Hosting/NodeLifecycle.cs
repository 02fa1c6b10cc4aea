using Orleans.Runtime;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Placement;

namespace RpOrleans.Grains.Hosting;

/// <summary>
/// How a node comes and goes. Its grain is there, and Redis called, before the first reader. When it is told to stop it says
/// so first: gateways hear it with their next ping and go on to the next in the ring. Only when nobody asks it any more does
/// it leave the cluster.
/// </summary>
internal sealed class NodeLifecycle(
    IGrainFactory grains, ILocalSiloDetails silo, Ownership ownership, Joining joining, Leases leases, NodeMetrics metrics, TimeProvider time) : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>Gateways ping every 100 ms: after three times that, all that can hear it have heard it.</summary>
    private static readonly TimeSpan _heard = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan _atMost = TimeSpan.FromSeconds(5);

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
        await self.PingAsync();
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
