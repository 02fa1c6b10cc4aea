using Orleans.Runtime;
using RpOrleans.Gateway.Near;
using RpOrleans.Grains.Placement;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Routing;

/// <summary>Follows the membership table, and keeps a session with every active node.</summary>
internal sealed class MembershipWatcher(
    Nodes nodes, ClusteringOptions clustering, CoherenceOptions coherence, IConfiguration configuration, ILoggerFactory logs, TimeProvider time, NearCache? near = null) : BackgroundService
{
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _readAtMost = TimeSpan.FromSeconds(2);

    private readonly Dictionary<SiloAddress, NodeSession> _sessions = [];
    private readonly SemaphoreSlim _changed = new(0, 1);
    private readonly ILogger _log = logs.CreateLogger<MembershipWatcher>();
    private bool? _readable; // unknown until it was tried

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var table = new MembershipTable(clustering, logs, configuration);
        IReadOnlyList<ActiveSilo>? active = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                active = await table.ReadAsync(stoppingToken).WaitAsync(_readAtMost, time, stoppingToken).ConfigureAwait(false);
                Readable(true, string.Empty);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception failure)
            {
                Readable(false, failure.GetType().Name);
            }

            if (active is not null)
            {
                Follow(active);
            }

            try
            {
                // At once when a node is reached or lost, else after a while.
                await _changed.WaitAsync(_period, stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        await Task.WhenAll(_sessions.Values.Select(session => session.DisposeAsync().AsTask())).ConfigureAwait(false);
    }

    private void Follow(IReadOnlyList<ActiveSilo> active)
    {
        foreach (var silo in active)
        {
            if (!_sessions.ContainsKey(silo.Silo))
            {
                _sessions[silo.Silo] = new NodeSession(silo, clustering, coherence, near, Changed, logs, time);
            }
        }

        var gone = _sessions.Keys.Except(active.Select(silo => silo.Silo)).ToList();
        var left = gone.ConvertAll(silo => _sessions[silo]);
        gone.ForEach(silo => _sessions.Remove(silo));

        // A node that joins keeps nothing yet: it is asked only where there is no other.
        var reached = _sessions.Values.Where(session => session.Reached).ToList();
        var joined = reached.Where(session => session.Joined).ToList();

        // The ring first: whoever loses a call in the next line finds the node gone from it.
        nodes.Update(
            new NodeRing((joined.Exists(session => session.Link.Usable) ? joined : reached).Select(session => session.Link)),
            [.. _sessions.Values.Where(session => !session.Reached).Select(session => $"node {session.Link.Name} has not been reached yet")]);
        foreach (var session in left)
        {
            _log.NodeLeft(session.Link.Name);
            _ = session.DisposeAsync().AsTask();
        }
    }

    private void Readable(bool readable, string failure)
    {
        if (readable == _readable)
        {
            return;
        }

        if (readable)
        {
            _log.MembershipRead();
        }
        else if (_readable is null)
        {
            _log.MembershipAwaited(failure);
        }
        else
        {
            _log.MembershipLost(failure);
        }

        _readable = readable;
    }

    private void Changed()
    {
        try
        {
            _changed.Release();
        }
        catch (SemaphoreFullException)
        {
            // It will look anyway.
        }
    }
}
