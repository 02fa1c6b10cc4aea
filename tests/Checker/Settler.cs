using RpOrleans.Checker.Judging;

namespace RpOrleans.Checker;

// A write that was answered with an error, or not at all, may take effect late: it may be on its way in a node, in a socket, in
// front of a hung Redis or in a proxy that holds it back. It goes to Redis once at most (PROTOCOL.md, "Who may serve"), and a
// node sends nothing to Redis after the write's deadline. So it is settled when it is found in Redis; or, having not been
// found, when there has been no fault for a second: what was held back has then arrived. Until then the key is not written.
// Only a value that was found tells that it arrived: a key may be absent for other reasons than a delete.

/// <summary>Finds out in Redis whether writes took effect whose writers do not know.</summary>
internal sealed class Settler(KeySpace keys, Calm calm, int redisPort)
{
    private static readonly TimeSpan _calm = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(50);

    public async Task RunAsync(CancellationToken stopping)
    {
        using var redis = new RedisLink(redisPort);
        while (!stopping.IsCancellationRequested)
        {
            for (var left = keys.Unsettled.Count; left > 0 && keys.Unsettled.TryDequeue(out var write); left--)
            {
                try
                {
                    keys.End(await SettleAsync(write, redis));
                }
                catch (IOException)
                {
                    keys.Unsettled.Enqueue(write); // Redis does not answer now
                    break;
                }
            }

            await Task.Delay(_pause, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<Write> SettleAsync(Write write, RedisLink redis)
    {
        var arrived = HasArrived(write);
        var found = await redis.CommandAsync("GET", Values.Key(write.Key));
        var version = found is null ? 0 : Values.Parse(found)?.Version;
        if (version == write.Version)
        {
            return write with { Outcome = Outcome.Settled, End = Clock.Now };
        }

        // A fault that began meanwhile may hold it back again.
        if (!arrived || !HasArrived(write))
        {
            return write;
        }

        var outcome = version != 0 ? Outcome.Never
            : write.Deletes ? Outcome.Settled
            : write.TimeToLive > TimeSpan.Zero ? Outcome.Perhaps
            : Outcome.Never;
        return write with { Outcome = outcome, End = Clock.Now };
    }

    private bool HasArrived(Write write) => calm.Since is { } since && Clock.Now - since > _calm && Clock.Now - write.Start - write.Took > _calm;
}
