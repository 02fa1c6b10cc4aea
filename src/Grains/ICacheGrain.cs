using Orleans.Concurrency;

namespace RpOrleans.Grains;

/// <summary>
/// One node's cache. There is one grain of this kind on each silo; its key is the silo's address, and it is placed there
/// (<see cref="Placement.OwnerPlacement"/>). Every method interleaves, so that one slow read of Redis holds up no hit.
/// </summary>
[Alias("rporleans.CacheGrain")]
public interface ICacheGrain : IGrainWithStringKey
{
    /// <summary>Looks keys up in memory only, in one call for many; never waits for Redis.</summary>
    /// <param name="keys">The keys.</param>
    /// <returns>One lookup a key, in order, with the copies that are granted; <see cref="LookupStatus.Miss"/> for what is not held. While Redis is not asked, since it fails, also what is stale, and else <see cref="LookupStatus.Failed"/>.</returns>
    [Alias("Peek"), AlwaysInterleave]
    ValueTask<LookupBatch> PeekAsync(KeyBatch keys);

    /// <summary>Keeps a gateway's lease on its copies, and takes copies back; answers at once when there is something to say, else after a fifth of <c>COHERENCE_BOUND</c>.</summary>
    /// <param name="request">Who asks, and what it has let go of.</param>
    [Alias("Lease"), AlwaysInterleave]
    ValueTask<LeaseAnswer> LeaseAsync(LeaseRequest request);

    /// <summary>Reads a key: from memory if it may, otherwise from Redis.</summary>
    /// <param name="request">The key, and what may be done with a copy of it.</param>
    /// <returns>What is known of it; faults of Redis are values, not exceptions. Takes 550 ms at most.</returns>
    [Alias("Read"), AlwaysInterleave]
    ValueTask<Lookup> ReadAsync(ReadRequest request);

    /// <summary>Writes or deletes a key in Redis, then keeps what Redis acknowledged.</summary>
    /// <param name="request">The change.</param>
    /// <returns>What became of it.</returns>
    [Alias("Write"), AlwaysInterleave]
    ValueTask<WriteOutcome> WriteAsync(WriteRequest request);

    /// <summary>Keys were written past the nodes: once this returns, no node answers with what was there before.</summary>
    /// <param name="written">The keys; those that another node owns are settled there.</param>
    [Alias("Written"), AlwaysInterleave]
    ValueTask WrittenAsync(WrittenKeys written);

    /// <summary>A write was carried out by another node: drops the copies of its keys, and whatever is under way for them will not be kept.</summary>
    /// <param name="request">The keys, and the caller's view.</param>
    /// <returns>The version of this node's view; as new as the caller's, if the membership table can be read.</returns>
    [Alias("Settle"), AlwaysInterleave]
    ValueTask<long> SettleAsync(SettleRequest request);

    /// <summary>A node joins: lets it in, and lets go of the keys that fall to it.</summary>
    /// <param name="view">The version of a view in which it is active.</param>
    /// <returns>The version of the view of which every node was let in. Confirms the one that was asked for unless it is older.</returns>
    [Alias("Confirm"), AlwaysInterleave]
    ValueTask<long> ConfirmAsync(long view);

    /// <summary>Says what the node holds of a key, and what that is worth; changes nothing.</summary>
    /// <param name="key">The key's bytes.</param>
    [Alias("Explain"), AlwaysInterleave]
    ValueTask<Explanation> ExplainAsync(byte[] key);

    /// <summary>Says that the node is alive, and what it can do; touches no Redis.</summary>
    /// <returns>The node's state.</returns>
    [Alias("Ping"), AlwaysInterleave]
    ValueTask<NodeState> PingAsync();

    /// <summary>The node's figures.</summary>
    /// <returns>A snapshot.</returns>
    [Alias("Stats"), AlwaysInterleave]
    ValueTask<NodeStats> StatsAsync();
}
