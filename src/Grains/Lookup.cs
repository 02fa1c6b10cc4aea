using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Grains;

/// <summary>What a node knows of a key.</summary>
public enum LookupStatus : byte
{
    /// <summary>Not held in memory; only ever the answer to <see cref="ICacheGrain.PeekAsync"/>.</summary>
    Miss,

    /// <summary>There is a value.</summary>
    Found,

    /// <summary>Redis said that there is no such key.</summary>
    Absent,

    /// <summary>The key holds something other than a string.</summary>
    WrongType,

    /// <summary>The value is larger than <c>MAX_VALUE_BYTES</c>; a gateway reads it from Redis itself.</summary>
    TooLarge,

    /// <summary>Redis gave no usable answer; <see cref="Lookup.Fault"/> says why. Never the same as absent.</summary>
    Failed,
}

/// <summary>Where an answer came from.</summary>
public enum LookupSource : byte
{
    /// <summary>From memory.</summary>
    Cache,

    /// <summary>This request read Redis.</summary>
    Origin,

    /// <summary>Another request for the key was reading Redis already; this one waited with it.</summary>
    Collapsed,
}

/// <summary>The answer to one read.</summary>
[GenerateSerializer, Immutable, Alias("rporleans.Lookup")]
public readonly record struct Lookup
{
    /// <summary>What is known of the key.</summary>
    [Id(0)] public LookupStatus Status { get; init; }

    /// <summary>Where the answer came from.</summary>
    [Id(1)] public LookupSource Source { get; init; }

    /// <summary>Why Redis gave no usable answer, when <see cref="LookupStatus.Failed"/>.</summary>
    [Id(2)] public OriginFault Fault { get; init; }

    /// <summary>Whether the answer is now held in memory.</summary>
    [Id(3)] public bool Stored { get; init; }

    /// <summary>Milliseconds since Redis was asked.</summary>
    [Id(4)] public long AgeMilliseconds { get; init; }

    /// <summary>Milliseconds for which the copy is still fresh; below zero, since when it is not.</summary>
    [Id(5)] public long FreshMilliseconds { get; init; }

    /// <summary>The value's bytes, when <see cref="LookupStatus.Found"/>; else none. Shared: never written to.</summary>
    [Id(6)] public ReadOnlyMemory<byte> Value { get; init; }

    /// <summary>What a copy's freshness rests on, when <see cref="Source"/> is <see cref="LookupSource.Cache"/>.</summary>
    [Id(7)] public Freshness Freshness { get; init; }

    /// <summary>Whether the asker may keep a copy, on the lease that it named; only ever in the answer to <see cref="ICacheGrain.PeekAsync"/>.</summary>
    [Id(8)] public bool Granted { get; init; }

    /// <summary>Whether this is a copy that Redis has not confirmed, or that has expired, and Redis could not be asked.</summary>
    public bool Stale => Source == LookupSource.Cache && Freshness is Freshness.Unconfirmed or Freshness.Expired && Status == LookupStatus.Found;

    internal static Lookup Failed(OriginFault fault) => new() { Status = LookupStatus.Failed, Fault = fault };
}
