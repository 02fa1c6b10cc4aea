using System.Runtime.CompilerServices;
using RpOrleans.Grains;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Routing;

/// <summary>Why no node answered.</summary>
internal enum RouteFault
{
    /// <summary>One did.</summary>
    None,

    /// <summary>No node can be reached.</summary>
    NoNode,

    /// <summary>Time is up.</summary>
    TimedOut,

    /// <summary>A node was lost that may have received the write.</summary>
    OutcomeUnknown,
}

/// <summary>What a node answered, or why none did.</summary>
/// <param name="Answer">The answer, when <paramref name="Fault"/> is <see cref="RouteFault.None"/>.</param>
/// <param name="Fault">Why there is none.</param>
internal readonly record struct Routed<TAnswer>(TAnswer Answer, RouteFault Fault = RouteFault.None);

/// <summary>What a reader accepts.</summary>
/// <param name="Mode">Whether a copy will do, and whether one may be kept.</param>
/// <param name="Copies">Which copies will do; <see langword="null"/> for those that the node serves by itself.</param>
/// <param name="OnlyIfHeld">Whether Redis must not be asked; then what is stale will do only if <paramref name="Copies"/> say how stale.</param>
internal readonly record struct ReadTerms(ReadMode Mode, CopyTerms? Copies = null, bool OnlyIfHeld = false);

/// <summary>Takes reads and writes to the node that owns the key, or to the next one when it does not answer.</summary>
internal sealed class Router(Nodes nodes, CoherenceOptions coherence, TimeProvider time)
{
    /// <summary>A request's time in all; a write's is <c>COHERENCE_BOUND</c> longer. The 1,050 ms that are promised leave a margin for a busy machine.</summary>
    private static readonly TimeSpan _requestBudget = TimeSpan.FromMilliseconds(950);

    /// <summary>One node's share: the 550 ms in which an owner answers, and a margin.</summary>
    private static readonly TimeSpan _attemptBudget = TimeSpan.FromMilliseconds(600);

    /// <summary>Reads a key.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Routed<Lookup>> ReadAsync(byte[] key, ReadTerms terms)
    {
        var started = time.GetTimestamp();
        NodeLink? failed = null;
        if (terms.Mode == ReadMode.Normal && nodes.Ring.Owner(key) is { Usable: true } owner)
        {
            try
            {
                var held = await owner.PeekAsync(key).ConfigureAwait(false);
                if (terms.OnlyIfHeld && (held.Stale || held.Status == LookupStatus.Failed))
                {
                    held = default; // the reader has to say that what is stale will do
                }

                if (IsFinal(held))
                {
                    if (terms.Copies is null || held.Status == LookupStatus.Failed || terms.Copies.Accept(held))
                    {
                        return new(held);
                    }

                    terms = terms with { Mode = ReadMode.Refresh };
                }
                else if (terms is { OnlyIfHeld: true, Copies.MaximumStale: not null })
                {
                    return new(await owner.ReadAsync(new ReadRequest(key, ReadMode.Held, terms.Copies), _attemptBudget).ConfigureAwait(false));
                }
            }
            catch (NodeUnavailableException)
            {
                // One that still answers pings is only slow, or this process is: another would have to read what the owner may just have read.
                failed = owner.Usable ? null : owner;
            }
        }

        return terms.OnlyIfHeld
            ? new(new Lookup { Status = LookupStatus.Miss })
            : await ReadFromAnyAsync(new ReadRequest(key, terms.Mode, terms.Copies), started, failed).ConfigureAwait(false);
    }

    /// <summary>Reads a key; what is held in this process is found here and now.</summary>
    public ValueTask<Routed<Lookup>> ReadAsync(ReadOnlySpan<byte> key)
    {
        var held = default(Lookup);
        var found = nodes.Ring.Owner(key) is { Usable: true } owner && owner.TryHit(key, out held) ? owner : null;
        return found is null ? ReadAsync(key.ToArray(), default)
            : IsFinal(held) ? new(new Routed<Lookup>(held))
            : ReadNotHeldAsync(key.ToArray(), found, failed: false);
    }

    /// <summary>Looks for the answer to a read in this process.</summary>
    public bool TryHit(ReadOnlySpan<byte> key, out Lookup hit)
    {
        hit = default;
        return nodes.Ring.Owner(key) is { Usable: true } owner && owner.TryHit(key, out hit) && IsFinal(hit);
    }

    /// <summary>Whether what a node answered without asking Redis is the answer: not where it holds nothing, or has no way to Redis while another node has one.</summary>
    public bool IsFinal(in Lookup held) => held.Status != LookupStatus.Miss && !(LacksRedis(held) && nodes.Ring.Nodes.Any(ReachesRedis));

    /// <summary>Reads a key that its owner, asked before, did not hold, or for which it gave no answer.</summary>
    /// <param name="key">The key.</param>
    /// <param name="owner">Who was asked.</param>
    /// <param name="failed">Whether it gave no answer.</param>
    public ValueTask<Routed<Lookup>> ReadNotHeldAsync(byte[] key, NodeLink? owner, bool failed) =>
        new(ReadFromAnyAsync(new ReadRequest(key, ReadMode.Normal), time.GetTimestamp(), failed && owner is { Usable: false } ? owner : null));

    /// <summary>Writes or deletes a key. Goes on to another node only when the one before has certainly not received it, or not sent it to Redis.</summary>
    public async Task<Routed<WriteOutcome>> WriteAsync(WriteRequest request)
    {
        var started = time.GetTimestamp();
        Routed<WriteOutcome>? failed = null;
        foreach (var node in Candidates(nodes.Ring, request.Key))
        {
            var left = _requestBudget - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
            {
                return new(default, RouteFault.TimedOut);
            }

            if (failed is not null && !ReachesRedis(node))
            {
                continue;
            }

            try
            {
                var outcome = await node.WriteAsync(request, Min(left, _attemptBudget), coherence.Bound).ConfigureAwait(false);
                if (outcome is not { Status: WriteStatus.Failed, OutcomeUnknown: false, Fault: OriginFault.Unreachable or OriginFault.BreakerOpen })
                {
                    return new(outcome);
                }

                failed ??= new(outcome);
            }
            catch (NodeUnavailableException failure) when (failure.Fault != NodeFault.NotReceived)
            {
                return new(default, RouteFault.OutcomeUnknown);
            }
            catch (NodeUnavailableException)
            {
            }
        }

        return failed ?? new(default, RouteFault.NoNode);
    }

    /// <summary>What the key's owner holds of it, as this gateway sees who that is.</summary>
    public async Task<Routed<Explanation?>> ExplainAsync(byte[] key)
    {
        if (nodes.Ring.Owner(key) is not { } owner)
        {
            return new(null, RouteFault.NoNode);
        }

        try
        {
            return new(await owner.ExplainAsync(key).ConfigureAwait(false));
        }
        catch (NodeUnavailableException failure)
        {
            return new(null, failure.Fault == NodeFault.TimedOut ? RouteFault.TimedOut : RouteFault.NoNode);
        }
    }

    /// <summary>Has no node answer any more with what was in Redis before the keys were written there, past the nodes.</summary>
    /// <param name="keys">The keys; <see langword="null"/> when any may have been written.</param>
    public async Task SettleAsync(IReadOnlyCollection<byte[]>? keys)
    {
        var written = time.GetTimestamp();
        var ring = nodes.Ring;
        if (keys is null)
        {
            await SettleAsync(null, Candidates(ring.Nodes), written).ConfigureAwait(false);
        }
        else if (keys.Count == 1 || ring.Nodes.Length <= 1)
        {
            await SettleAsync([.. keys], Candidates(ring, keys.First()), written).ConfigureAwait(false);
        }
        else
        {
            await Task.WhenAll(keys.GroupBy(key => ring.Owner(key)).Select(group => SettleAsync([.. group], Candidates(ring, group.First()), written))).ConfigureAwait(false);
        }
    }

    /// <summary>The first that answers sees to it, at all others where it is not the owner.</summary>
    private async Task SettleAsync(byte[][]? keys, IEnumerable<NodeLink> candidates, long written)
    {
        foreach (var node in candidates)
        {
            try
            {
                await node.WrittenAsync(new WrittenKeys(keys)).ConfigureAwait(false);
                return;
            }
            catch (NodeUnavailableException) when (time.GetElapsedTime(written) < coherence.Bound)
            {
            }
            catch (NodeUnavailableException)
            {
                break;
            }
        }

        // Nobody can be told in time; until then their copies are true again, or may not be used (docs/coherence.md).
        var left = coherence.Bound - time.GetElapsedTime(written);
        if (left > TimeSpan.Zero)
        {
            await Task.Delay(left, time).ConfigureAwait(false);
        }
    }

    private async Task<Routed<Lookup>> ReadFromAnyAsync(ReadRequest request, long started, NodeLink? failed)
    {
        var fault = RouteFault.NoNode;
        Routed<Lookup>? withoutRedis = null;
        var ranked = nodes.Ring.Ranked(request.Key);
        foreach (var node in Candidates(ranked))
        {
            if (ReferenceEquals(node, failed) || (withoutRedis is not null && !ReachesRedis(node) && !ReferenceEquals(node, ranked[0])))
            {
                continue;
            }

            var left = _requestBudget - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
            {
                return withoutRedis ?? new(default, RouteFault.TimedOut);
            }

            try
            {
                // Whoever stands in for the owner keeps nothing: it would not hear of the owner's writes.
                var asked = ReferenceEquals(node, ranked[0]) ? request : request with { Mode = ReadMode.Bypass };
                var lookup = await node.ReadAsync(asked, Min(left, _attemptBudget)).ConfigureAwait(false);
                if (!LacksRedis(lookup))
                {
                    return new(lookup);
                }

                // It may be the way from this node to Redis that is broken; another may have one. A copy is better than nothing.
                withoutRedis = withoutRedis is { Answer.Stale: true } ? withoutRedis : new(lookup);
            }
            catch (NodeUnavailableException failure)
            {
                fault = failure.Fault == NodeFault.TimedOut ? RouteFault.TimedOut : RouteFault.NoNode;
            }
        }

        return withoutRedis ?? new(default, fault);
    }

    /// <summary>Whether a node with a way to Redis might answer better.</summary>
    private static bool LacksRedis(in Lookup lookup) =>
        lookup.Stale || lookup is { Status: LookupStatus.Failed, Fault: OriginFault.Unreachable or OriginFault.TimedOut or OriginFault.BreakerOpen };

    /// <summary>Whether Redis answered the node lately, as far as it has said.</summary>
    private static bool ReachesRedis(NodeLink node) => node.State is { OriginFault: OriginFault.None };

    /// <summary>
    /// Those who can be asked, in the order of the ring, but for nodes that Redis does not answer: they come last. Where all look
    /// hung it is rather this process that got no processor: then any that is connected.
    /// </summary>
    private static IEnumerable<NodeLink> Candidates(NodeLink[] ranked) =>
        (ranked.Any(node => node.Usable) ? ranked.Where(node => node.Usable) : ranked.Where(node => node.Connected)).OrderBy(node => !ReachesRedis(node));

    /// <summary>The same, for a key: where its owner can be asked the others are not even looked at.</summary>
    private static IEnumerable<NodeLink> Candidates(NodeRing ring, byte[] key)
    {
        var first = ring.Owner(key) is { Usable: true } owner && ReachesRedis(owner) ? owner : null;
        if (first is not null)
        {
            yield return first;
        }

        foreach (var node in Candidates(ring.Ranked(key)))
        {
            if (node != first)
            {
                yield return node;
            }
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
