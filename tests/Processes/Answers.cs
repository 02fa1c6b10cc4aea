using System.Diagnostics;

namespace RpOrleans.Tests.Processes;

/// <summary>All that readers were told, in the order in which it arrived.</summary>
internal sealed class Answers(IEnumerable<Answer> answers, TimeSpan processorWait)
{
    /// <summary>No read is answered later than this, whatever fails.</summary>
    public static readonly TimeSpan Latest = TimeSpan.FromMilliseconds(1_050);

    private static readonly TimeSpan _window = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _step = TimeSpan.FromMilliseconds(50);

    public IReadOnlyList<Answer> All { get; } = [.. answers.OrderBy(answer => answer.Received)];

    public IReadOnlyList<Answer> Failures => [.. All.Where(answer => answer.Verdict == Verdict.Failed)];

    /// <summary>Checks what holds of every answer, whatever fails: no wrong value, no 404 for a key that exists, no 500, none late.</summary>
    public void AssertSound()
    {
        Assert.Empty(All.Where(answer => answer.Verdict is Verdict.Wrong or Verdict.Absent).Take(5));
        Assert.Empty(All.Where(answer => answer.Status == 500).Take(5));
        Assert.Empty(All.Where(answer => Took(answer) > Latest).Select(Describe).Take(5));
    }

    /// <summary>Checks that no read failed that was answered after a moment.</summary>
    public void AssertNoFailureSince(long since) =>
        Assert.Empty(Failures.Where(answer => answer.Received >= since).Select(Describe).Take(10));

    /// <summary>Checks that no read failed.</summary>
    public void AssertNoFailure() => AssertNoFailureSince(0);

    /// <summary>The longest that an answer took, among those asked for in a span.</summary>
    public TimeSpan Worst(long from = 0, long until = long.MaxValue) =>
        All.Where(answer => answer.Sent >= from && answer.Sent < until).Select(Took).DefaultIfEmpty().Max();

    /// <summary>How long after a moment as many right answers come as before it, within one part in twenty.</summary>
    /// <returns>The start of the first half second that is as good, and the share of it; <see langword="null"/> when there is none.</returns>
    public (TimeSpan After, double Share)? BackAfter(long moment)
    {
        var right = All.Where(answer => answer.Verdict == Verdict.Right).Select(answer => answer.Received).ToList();
        var before = Math.Min(2, Stopwatch.GetElapsedTime(right[0], moment).TotalSeconds);
        var usual = Between(moment - Ticks(TimeSpan.FromSeconds(before)), moment) / before * _window.TotalSeconds;
        for (var after = TimeSpan.Zero; moment + Ticks(after + _window) <= right[^1]; after += _step)
        {
            var share = Between(moment + Ticks(after), moment + Ticks(after + _window)) / usual;
            if (share >= 0.95)
            {
                return (after, share);
            }
        }

        return null;

        int Between(long from, long until) => right.Count(received => received >= from && received < until);
    }

    /// <summary>Some words about all of it.</summary>
    public override string ToString()
    {
        var took = All.Select(Took).Order().ToList();
        return $"{All.Count} reads, {Failures.Count} failed; p50 {took[took.Count / 2].TotalMilliseconds:F1} ms, p99 {took[took.Count * 99 / 100].TotalMilliseconds:F1} ms, "
            + $"worst {Describe(All.MaxBy(Took))}; longest wait for a processor {processorWait.TotalMilliseconds:F1} ms";
    }

    public static TimeSpan Took(Answer answer) => Stopwatch.GetElapsedTime(answer.Sent, answer.Received);

    public static long Ticks(TimeSpan span) => (long)(span.TotalSeconds * Stopwatch.Frequency);

    private string Describe(Answer answer) =>
        $"after {Took(answer).TotalMilliseconds:F0} ms, {Stopwatch.GetElapsedTime(All[0].Received, answer.Received).TotalMilliseconds:F0} ms from the start, gateway {answer.Gateway}: {answer.Status} {(answer.FromRedis ? "from Redis" : answer.Detail)}";
}
