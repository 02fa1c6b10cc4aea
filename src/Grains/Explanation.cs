using RpOrleans.Grains.Coherence;

namespace RpOrleans.Grains;

/// <summary>What a node holds of a key, and what that is worth; for those who ask why they got what they got.</summary>
[GenerateSerializer, Immutable, Alias("rporleans.Explanation")]
public sealed record Explanation
{
    /// <summary>The node that answered, by the name under which it is hashed.</summary>
    [Id(0)] public string Node { get; init; } = "";

    /// <summary>Whether it owns the key in its own view; if not, it keeps no copy.</summary>
    [Id(1)] public bool Owner { get; init; }

    /// <summary>Whether it holds a copy, fresh or not.</summary>
    [Id(2)] public bool Held { get; init; }

    /// <summary>Whether what it holds is that Redis has no such key.</summary>
    [Id(3)] public bool Absent { get; init; }

    /// <summary>The value's length in bytes.</summary>
    [Id(4)] public long ValueBytes { get; init; }

    /// <summary>Milliseconds since Redis was asked for it.</summary>
    [Id(5)] public long AgeMilliseconds { get; init; }

    /// <summary>Milliseconds until its life is over; below zero, since when it is.</summary>
    [Id(6)] public long FreshMilliseconds { get; init; }

    /// <summary>What it rests on that the copy is still what Redis holds.</summary>
    [Id(7)] public Freshness Freshness { get; init; }

    /// <summary>Whether Redis is being asked for the key at this moment.</summary>
    [Id(8)] public bool Loading { get; init; }

    /// <summary>The same in a sentence.</summary>
    public string Why => (Owner, Held, Freshness) switch
    {
        (false, _, _) => "the node does not own the key in its own view, so it reads Redis each time and keeps nothing",
        (_, false, _) when Loading => "it is being read from Redis",
        (_, false, _) => "it is not held: it was not asked for, or left for want of space, because its time was up, or since Redis told of a change",
        (_, _, Freshness.Tracking) => "Redis tells of each change, and has confirmed lately that it has told of all",
        (_, _, Freshness.Expiry) => "Redis is not asked to tell of changes, or cannot; RECORD_EXPIRY bounds its age",
        (_, _, Freshness.Expired) => "its time is up; it is served only while Redis fails, within STALE_IF_ERROR",
        _ => "Redis has not confirmed it in the present session; it is read again before it is served, unless Redis fails",
    };
}
