
namespace RpOrleans.Coherence;

/// <summary>Durations in order. Every one is kept: there are few enough, and nothing is rounded.</summary>
internal sealed class Percentiles
{
    private readonly TimeSpan[] _sorted;

    public Percentiles(IEnumerable<TimeSpan> durations)
    {
        _sorted = [.. durations];
        Array.Sort(_sorted);
    }

    public int Count => _sorted.Length;

    public TimeSpan Max => At(100);

    /// <summary>The least duration that is not exceeded by so many percent; zero when there are none.</summary>
    public TimeSpan At(double percent) =>
        _sorted.Length == 0 ? TimeSpan.Zero : _sorted[Math.Clamp((int)Math.Ceiling(percent / 100 * _sorted.Length) - 1, 0, _sorted.Length - 1)];

    /// <summary>A duration in milliseconds, as it stands in a table.</summary>
    public static string Text(TimeSpan duration) => $"{duration.TotalMilliseconds:0.0} ms";
}
