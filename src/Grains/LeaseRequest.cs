using Orleans.Concurrency;
using RpOrleans.Grains.Coherence;

namespace RpOrleans.Grains;

/// <summary>A gateway renews its lease on what it has copied from a node.</summary>
/// <param name="Gateway">The gateway, and no other one before or after it: a gateway that starts anew has a new one.</param>
/// <param name="Session">The session that it was given; 0 for none yet.</param>
/// <param name="Acknowledged">The last take-back of that session that it has carried out (<see cref="LeaseAnswer.Sequence"/>).</param>
/// <param name="Hits">Keys that it has answered from copies since.</param>
/// <param name="Ends">Whether it has let go of everything, and asks no more.</param>
[GenerateSerializer, Immutable, Alias("rporleans.LeaseRequest")]
public sealed record LeaseRequest([property: Id(0)] Guid Gateway, [property: Id(1)] long Session, [property: Id(2)] long Acknowledged, [property: Id(3)] KeyBatch Hits, [property: Id(4)] bool Ends = false);

/// <summary>What a node says to that.</summary>
/// <param name="Session">The gateway's session; another one than before: all copies from before are void.</param>
/// <param name="Sequence">The number of the last take-back.</param>
/// <param name="TakenBack">Keys of which copies are void.</param>
/// <param name="All">Whether all copies are.</param>
/// <param name="ValidMilliseconds">For how long other copies may be used, counted from when the request was sent.</param>
/// <param name="Basis">What their freshness rests on.</param>
/// <param name="UnconfirmedMilliseconds">For how long, counted likewise, values may be used past that, marked as unconfirmed: Redis fails, and the node does the same with what it holds.</param>
/// <param name="State">What a ping would say.</param>
[GenerateSerializer, Immutable, Alias("rporleans.LeaseAnswer")]
public sealed record LeaseAnswer(
    [property: Id(0)] long Session, [property: Id(1)] long Sequence, [property: Id(2)] KeyBatch TakenBack, [property: Id(3)] bool All, [property: Id(4)] int ValidMilliseconds,
    [property: Id(5)] Freshness Basis, [property: Id(6)] int UnconfirmedMilliseconds = 0, [property: Id(7)] NodeState? State = null);
