namespace RpOrleans.Coherence;

/// <summary>One line of the table.</summary>
/// <param name="What">What was to be shown.</param>
/// <param name="Target">What it should be.</param>
/// <param name="Measured">What it is, and how much was looked at.</param>
/// <param name="Met">Whether that is as it should be.</param>
internal sealed record Row(string What, string Target, string Measured, bool Met);
