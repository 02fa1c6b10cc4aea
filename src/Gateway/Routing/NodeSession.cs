using RpOrleans.Gateway.Near;
using RpOrleans.Grains;
using RpOrleans.Grains.Placement;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Routing;

/// <summary>Stays connected to one node for as long as the membership table calls it active.</summary>
internal sealed class NodeSession : IAsyncDisposable
{
    private static readonly TimeSpan _retry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _firstAnswer = TimeSpan.FromSeconds(1);

    private readonly ActiveSilo _silo;
    private readonly ClusteringOptions _clustering;
    private readonly CoherenceOptions _coherence;
    private readonly Action _changed;
    private readonly ILoggerFactory _logs;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _running;
    private readonly Lock _following = new(); // a ping and a lease may be answered at once
    private long _view;

    /// <param name="silo">The node.</param>
    /// <param name="clustering">The cluster.</param>
    /// <param name="coherence">The bound on a lease.</param>
    /// <param name="near">Where copies of what it holds are kept; <see langword="null"/> for none.</param>
    /// <param name="changed">Called when the node is reached for the first time, when it has joined, when it has a newer view, and when its connection is lost.</param>
    /// <param name="logs">Where to log.</param>
    /// <param name="time">The clock.</param>
    public NodeSession(ActiveSilo silo, ClusteringOptions clustering, CoherenceOptions coherence, NearCache? near, Action changed, ILoggerFactory logs, TimeProvider time)
    {
        (_silo, _clustering, _coherence, _changed, _logs, _time) = (silo, clustering, coherence, changed, logs, time);
        _log = logs.CreateLogger<NodeSession>();
        var name = Ownership.NodeName(silo.Silo);
        Link = new NodeLink(name, RendezvousHash.HashNode(name), time, lease: near?.NewLease(), bound: coherence.Bound);
        _running = Task.Run(RunAsync);
    }

    public NodeLink Link { get; }

    /// <summary>Whether the node has answered once.</summary>
    public bool Reached { get; private set; }

    /// <summary>Whether it has said that it owns keys; until then it only stands in for others.</summary>
    public bool Joined { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _ended.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_ended.IsCancellationRequested)
        {
            try
            {
                await ConnectAndPingAsync().ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                _log.NodeNotReached(Link.Name, failure.GetType().Name);
                await Task.Delay(_retry, _time, _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ConnectAndPingAsync()
    {
        using var connection = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
        await using var client = await NodeClient.ConnectAsync(_silo, _clustering, () => OnLost(connection), _logs, connection.Token).ConfigureAwait(false);
        try
        {
            var state = await client.Grain.PingAsync().AsTask().WaitAsync(_firstAnswer, _time, connection.Token).ConfigureAwait(false);
            Link.Heard(client.Grain, state, _time.GetTimestamp());
            if (!Reached)
            {
                (Reached, Joined) = (true, state.Joined);
                _log.NodeReached(Link.Name);
                _changed();
            }

            var kept = Link.Lease?.KeepAsync(client.Grain, _coherence.Bound, _time, state => OnRenewed(client.Grain, state), connection.Token) ?? Task.CompletedTask;
            try
            {
                await NodePings.RunAsync(Link, client.Grain, _time, connection.Token, FollowView).ConfigureAwait(false);
            }
            finally
            {
                await connection.CancelAsync().ConfigureAwait(false);
                await kept.ConfigureAwait(false);
            }
        }
        finally
        {
            Link.Lost();
        }
    }

    /// <summary>The answer to a lease says what one to a ping would.</summary>
    private void OnRenewed(ICacheGrain grain, NodeState state)
    {
        Link.Heard(grain, state, _time.GetTimestamp());
        FollowView(state);
    }

    /// <summary>Who has a newer view of who is in the cluster knows of a node that is to be asked, or not any more: the table is read now.</summary>
    private void FollowView(NodeState state)
    {
        lock (_following)
        {
            if (state.View <= _view && (Joined || !state.Joined))
            {
                return;
            }

            (_view, Joined) = (Math.Max(_view, state.View), Joined || state.Joined);
        }

        _changed();
    }

    private void OnLost(CancellationTokenSource connection)
    {
        var expected = Link.State is { Draining: true };
        Link.Lost(); // at once: calls in flight go on to another node now
        try
        {
            if (connection.IsCancellationRequested)
            {
                return; // known already
            }

            connection.Cancel();
        }
        catch (ObjectDisposedException)
        {
            return;
        }

        if (!expected)
        {
            _log.NodeLost(Link.Name);
        }

        _changed();
    }
}
