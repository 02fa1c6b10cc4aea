namespace RpOrleans.Grains.Origin;

/// <summary>Redis gave no usable answer. Never carries a key, a value or a password in its message.</summary>
/// <param name="fault">Why.</param>
/// <param name="outcomeUnknown">Whether the command may have been carried out all the same: it was sent, and its reply did not come.</param>
/// <param name="inner">What the Redis client threw, if it did.</param>
internal sealed class OriginException(OriginFault fault, bool outcomeUnknown = false, Exception? inner = null)
    : Exception($"Redis gave no usable answer: {fault}.", inner)
{
    public OriginFault Fault => fault;

    public bool OutcomeUnknown => outcomeUnknown;
}
