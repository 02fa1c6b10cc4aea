using RpOrleans.Grains;

namespace RpOrleans.Gateway.Routing;

// A node counts as hung when it misses three pings of 100 ms, which touch no Redis: a slow Redis must not look like a dead
// node, and answers nothing else in that time: pings wait in line like all calls, and a herd makes a long one. A ping that was late
// because this very process got no processor does not count.

/// <summary>Keeps hearing from a node.</summary>
internal static class NodePings
{
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _periodUntilJoined = TimeSpan.FromMilliseconds(20); // meanwhile nobody keeps its keys
    private static readonly TimeSpan _periodBesideLease = TimeSpan.FromMilliseconds(130); // its answers say the same, every 100 ms
    private static readonly TimeSpan _starved = TimeSpan.FromMilliseconds(60);
    private const int MissesAtMost = 3;

    /// <summary>Pings until cancelled. The node is suspected while it misses them, and back with the first that it answers.</summary>
    /// <param name="link">The node.</param>
    /// <param name="grain">Its cache.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="heard">Told of each answer.</param>
    public static async Task RunAsync(NodeLink link, ICacheGrain grain, TimeProvider time, CancellationToken cancellation, Action<NodeState>? heard = null)
    {
        var missed = 0;
        while (!cancellation.IsCancellationRequested)
        {
            if (link is { Lease: not null, State.Joined: true } && _periodBesideLease - link.SinceHeard is var quiet && quiet > TimeSpan.Zero)
            {
                missed = 0;
                await Task.Delay(quiet, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }

            var sent = time.GetTimestamp();
            try
            {
                var state = await grain.PingAsync().AsTask().WaitAsync(_period, time, cancellation).ConfigureAwait(false);
                missed = 0;
                link.Heard(grain, state, time.GetTimestamp());
                heard?.Invoke(state);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            catch (Exception)
            {
                // Whatever it is that fails, what counts is that no answer came.
                if (time.GetElapsedTime(sent) < _period + _starved && ++missed >= MissesAtMost && link.Silence > MissesAtMost * _period)
                {
                    link.Suspect();
                }
            }

            var rest = (link.State is { Joined: false } ? _periodUntilJoined : _period) - time.GetElapsedTime(sent);
            if (rest > TimeSpan.Zero)
            {
                await Task.Delay(rest, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
