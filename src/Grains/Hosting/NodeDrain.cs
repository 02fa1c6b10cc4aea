using Orleans.Runtime;
using RpOrleans.Grains.Placement;

namespace RpOrleans.Grains.Hosting;

/// <summary>
/// A node that is told to stop says so first: gateways hear it with their next ping and go on to the next in the ring.
/// Only when nobody asks it any more does it leave the cluster.
/// </summary>
internal sealed class NodeDrain(Ownership ownership, NodeMetrics metrics, TimeProvider time) : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>Gateways ping every 100 ms: after three times that, all that can hear it have heard it.</summary>
    private static readonly TimeSpan _heard = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan _atMost = TimeSpan.FromSeconds(5);

    // The highest stage is stopped first: the silo is still active then, and answers.
    public void Participate(ISiloLifecycle lifecycle) =>
        lifecycle.Subscribe(nameof(NodeDrain), ServiceLifecycleStage.Active, _ => Task.CompletedTask, DrainAsync);

    private async Task DrainAsync(CancellationToken cancellation)
    {
        ownership.Draining = true;
        var started = time.GetTimestamp();
        long asked;
        do
        {
            asked = metrics.Requests;
            await Task.Delay(_heard, time, CancellationToken.None);
        }
        while (metrics.Requests != asked && time.GetElapsedTime(started) < _atMost && !cancellation.IsCancellationRequested);
    }
}
