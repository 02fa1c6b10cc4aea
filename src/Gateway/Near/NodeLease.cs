using System.Buffers;
using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;

namespace RpOrleans.Gateway.Near;

/// <summary>A gateway's lease on its copies of what one node holds. Its state is the near cache's, under its lock.</summary>
/// <param name="cache">Where the copies are.</param>
internal sealed class NodeLease(NearCache cache)
{
    /// <summary>The lease's number in this gateway: copies of another one are void. 0 for none yet.</summary>
    public int Number { get; set; }

    /// <summary>What the node calls it; 0 for none yet.</summary>
    public long Session { get; set; }

    /// <summary>The last take-back that was carried out.</summary>
    public long Acknowledged { get; set; }

    /// <summary>What copies rest on: the same as at the node.</summary>
    public Freshness Basis { get; set; }

    /// <summary>Until when copies may be used, as a timestamp.</summary>
    public long ValidUntil { get; set; } = long.MinValue;

    /// <summary>Until when values may be used past that, marked as unconfirmed: Redis fails.</summary>
    public long UnconfirmedUntil { get; set; } = long.MinValue;

    /// <summary>The look-up that is under way, if there is one: there is never more than one.</summary>
    public NearLoad? Load { get; set; }

    /// <summary>How many keys were answered from copies, and of which the node has not been told.</summary>
    public int Hits { get; set; }

    /// <summary>Those keys, as they stand in a batch.</summary>
    public ArrayBufferWriter<byte> HitKeys { get; } = new();

    /// <inheritdoc cref="NearCache.TryHit"/>
    public bool TryHit(ReadOnlySpan<byte> key, out Lookup hit) => cache.TryHit(this, key, out hit);

    /// <inheritdoc cref="NearCache.Wants"/>
    public bool Wants(ReadOnlySpan<byte> key) => cache.Wants(key);

    /// <summary>Sends a look-up, and keeps what is granted.</summary>
    public async Task<LookupBatch> PeekAsync(KeyBatch keys, Func<KeyBatch, Task<LookupBatch>> send)
    {
        var load = cache.Begin(this);
        var answers = await send(keys with { Lease = Session }).ConfigureAwait(false);
        cache.End(this, load, keys, answers);
        return answers;
    }

    /// <inheritdoc cref="NearCache.Note"/>
    public void Note(byte[] key, in Lookup answer) => cache.Note(this, key, answer);

    /// <summary>Renews it until cancelled; then tells the node that no write needs to wait for this gateway.</summary>
    /// <param name="grain">The node's cache.</param>
    /// <param name="bound"><c>COHERENCE_BOUND</c>.</param>
    /// <param name="time">The clock.</param>
    /// <param name="heard">Told of what the node says of itself.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task KeepAsync(ICacheGrain grain, TimeSpan bound, TimeProvider time, Action<NodeState> heard, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            var sent = time.GetTimestamp();
            try
            {
                var request = new LeaseRequest(cache.Gateway, Session, Acknowledged, cache.TakeHits(this));
                var answer = await grain.LeaseAsync(request).AsTask().WaitAsync(bound, time, cancellation).ConfigureAwait(false);
                cache.Renew(this, answer, sent);
                if (answer.State is { } state)
                {
                    heard(state);
                }

                if (answer.Session != 0)
                {
                    continue;
                }
            }
            catch (Exception)
            {
                // Whatever it is that fails: the lease lapses by itself. An answer that comes later counts for nothing.
            }

            await Task.Delay(bound / 5, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        var ended = new LeaseRequest(cache.Gateway, cache.End(this), 0, KeyBatch.Of(), Ends: true);
        try
        {
            await grain.LeaseAsync(ended).AsTask().WaitAsync(bound / 5, time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The connection is lost: then the node has to wait until the lease lapses.
        }
    }
}
