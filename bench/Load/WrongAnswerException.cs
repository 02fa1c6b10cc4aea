namespace RpOrleans.Load;

/// <summary>A server answered wrongly, or not at all: nothing it does is worth measuring.</summary>
internal sealed class WrongAnswerException(string message, Exception? inner = null) : Exception(message, inner);
