namespace RpOrleans.Coherence;

/// <summary>An answer was not what it must be. There is no figure worth having then: the benchmark ends.</summary>
internal sealed class WrongAnswerException(string message) : Exception(message);
