using RpOrleans.Grains.Origin;

namespace RpOrleans.Grains;

/// <summary>One change to a key.</summary>
[GenerateSerializer, Immutable, Alias("rporleans.WriteRequest")]
public sealed record WriteRequest
{
    /// <summary>The key's bytes.</summary>
    [Id(0)] public required byte[] Key { get; init; }

    /// <summary>The new value's bytes; <see langword="null"/> deletes the key.</summary>
    [Id(1)] public byte[]? Value { get; init; }

    /// <summary>The new value's time to live in milliseconds; 0 for none.</summary>
    [Id(2)] public long ExpiryMilliseconds { get; init; }

    /// <summary>Write only if the key is not there.</summary>
    [Id(3)] public bool OnlyIfAbsent { get; init; }

    /// <summary>
    /// When the write must not be sent to Redis any more, in milliseconds of the node's own monotonic clock
    /// (<see cref="NodeState.ClockMilliseconds"/>): a node that wakes up after a pause replays nothing.
    /// </summary>
    [Id(4)] public long DeadlineMilliseconds { get; init; }
}

/// <summary>What became of a write.</summary>
public enum WriteStatus : byte
{
    /// <summary>Redis acknowledged it.</summary>
    Done,

    /// <summary>Nothing was written: the key was there, and the write was for an absent one only.</summary>
    ConditionFailed,

    /// <summary>Redis refused it or gave no answer; <see cref="WriteOutcome.Fault"/> says why.</summary>
    Failed,
}

/// <summary>The answer to a write.</summary>
[GenerateSerializer, Immutable, Alias("rporleans.WriteOutcome")]
public readonly record struct WriteOutcome
{
    /// <summary>What became of it.</summary>
    [Id(0)] public WriteStatus Status { get; init; }

    /// <summary>Why Redis did not acknowledge it.</summary>
    [Id(1)] public OriginFault Fault { get; init; }

    /// <summary>Whether it may have been carried out all the same.</summary>
    [Id(2)] public bool OutcomeUnknown { get; init; }

    /// <summary>Whether the new value is now held in memory.</summary>
    [Id(3)] public bool Stored { get; init; }
}
