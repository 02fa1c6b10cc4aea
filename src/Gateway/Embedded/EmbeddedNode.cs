using Orleans.Runtime;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;
using RpOrleans.Grains.Lru;
using RpOrleans.Grains.Placement;

namespace RpOrleans.Gateway.Embedded;

/// <summary>The node in the gateway's own process: called directly, with no client and no socket between.</summary>
internal sealed class EmbeddedNode(Nodes nodes, IGrainFactory grains, ILocalSiloDetails silo, HeldEntries held, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(100);

    // The silo was registered before this service, so it is active by now.
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var name = Ownership.NodeName(silo.SiloAddress);
        var grain = grains.GetGrain<ICacheGrain>(silo.SiloAddress.ToParsableString());
        var link = new NodeLink(name, RendezvousHash.HashNode(name), time, held);
        link.Heard(grain, await grain.PingAsync().ConfigureAwait(false), time.GetTimestamp());
        nodes.Update(new NodeRing([link]), []);
        _ping = async () => link.Heard(grain, await grain.PingAsync().ConfigureAwait(false), time.GetTimestamp());
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    private Func<Task> _ping = () => Task.CompletedTask;

    // It cannot be lost without this process; its state is asked for all the same.
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(_period, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _ping().ConfigureAwait(false);
        }
    }
}
