namespace RpOrleans.Checker.Judging;

/// <summary>A stretch of time.</summary>
internal readonly record struct Span(TimeSpan Start, TimeSpan End);

/// <summary>All that happened, by one clock.</summary>
/// <param name="Writes">By key, then by version without a gap: a key has one writer at a time, so this is their order in Redis too.</param>
/// <param name="Reads">In any order.</param>
/// <param name="Disturbed">When a node may have lived on that was declared dead: two may have owned a key.</param>
/// <param name="StoodIn">When something went wrong: a node may not have been reached, or not have reached Redis, so that others stood in for it.</param>
/// <param name="Unconfirmed">When Redis was faulty, or a node's way there: a node may have had nothing but what Redis did not confirm, which over HTTP it marks.</param>
/// <param name="Upstream">When Redis was faulty, or a gateway's own way there: what it passes through may come late, or not at all.</param>
/// <param name="Frozen">When an answer may be late: while all warm up, and when this machine had no processor for the checker, and may have had none for the others.</param>
internal sealed record History(
    Write[][] Writes, IReadOnlyList<Read> Reads, IReadOnlyList<Span> Disturbed, IReadOnlyList<Span> StoodIn,
    IReadOnlyList<Span> Unconfirmed, IReadOnlyList<Span> Upstream, IReadOnlyList<Span> Frozen)
{
    /// <summary>The gateway's number of what goes to Redis directly.</summary>
    public const byte Redis = byte.MaxValue;
}
