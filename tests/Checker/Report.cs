using System.Globalization;
using RpOrleans.Checker.Judging;

namespace RpOrleans.Checker;

/// <summary>Says what a run came to.</summary>
internal static class Report
{
    private const int ShownAtMost = 20;

    public static void Print(Options options, History history, Judgement judgement, Faults faults, IReadOnlyCollection<string> lost)
    {
        var reads = history.Reads.Where(read => read.Form != ReadForm.Direct).ToList();
        var took = reads.Select(read => read.Took.TotalMilliseconds).Order().ToList();
        var writes = history.Writes.SelectMany(of => of).ToList();
        Line($"seed {options.Seed}, mode {options.Mode}, RECORD_EXPIRY {options.RecordExpiry.TotalSeconds} s, bound judged {options.OutsideBound.TotalSeconds} s");
        Line($"reads   {reads.Count}: {Counts(reads, read => read.Outcome == ReadOutcome.Error ? $"{read.Status}" : $"{read.Outcome}")}; {Counts(reads, read => $"{read.Form}")}, and {history.Reads.Count - reads.Count} of Redis itself");
        Line($"        p50 {At(took, 0.5):F1} ms, p99 {At(took, 0.99):F1} ms, worst {took.LastOrDefault():F0} ms; {Counts(reads, read => $"{read.Word}")}; {reads.Count(read => read.Marked)} marked stale or unconfirmed");
        Line($"        {reads.Count(read => read.ByResp)} in the Redis protocol, {reads.Count(read => read.Behind > 0)} of them behind a write of their key");
        Line($"writes  {writes.Count}: {Counts(writes, write => $"{write.Outcome}")}; {writes.Count(write => write.Gateway == History.Redis)} at Redis, {writes.Count(write => write.Deletes)} deletes, {writes.Count(write => write.TimeToLive > TimeSpan.Zero)} with a time to live");
        Line($"        {Counts(writes, write => $"{write.Form}")}; statuses through gateways: {Counts(writes.Where(write => write.Gateway != History.Redis), write => $"{write.Status}")}");
        Line($"faults  {faults.Made.Count}: {Counts(faults.Made, fault => $"{fault.What.Kind}")}; {faults.LeftOut} left out");
        var stale = judgement.Staleness.Select(span => span.TotalMilliseconds).Order().ToList();
        Line($"outside writes served stale, unmarked: p50 {At(stale, 0.5):F0} ms, p99 {At(stale, 0.99):F0} ms, p99.9 {At(stale, 0.999):F0} ms, max {stale.LastOrDefault():F0} ms, of {stale.Count} (write, gateway)");
        Line($"older than an acknowledged write, but allowed (marked, or it was not agreed who owns the key): {judgement.Excused}");
        Line($"late answers were excused for {new Spans(history.Frozen).Total.TotalSeconds:F2} s in all (warming up, and while the checker was not let run); two may have owned a key for {new Spans(history.Disturbed).Total.TotalSeconds:F1} s, others may have stood in for {new Spans(history.StoodIn).Total.TotalSeconds:F1} s");
        foreach (var process in lost)
        {
            Line($"ENDED BY ITSELF: {process}");
        }

        Line($"violations {judgement.Violations.Count}{(judgement.Violations.Count > 0 ? ": " : "")}{Counts(judgement.Violations, violation => $"{violation.Rule}")}");
        foreach (var violation in judgement.Violations.Take(ShownAtMost))
        {
            Show(violation, history, faults.Made);
        }
    }

    /// <summary>A violation, and what happened to its key around it.</summary>
    private static void Show(Violation violation, History history, IReadOnlyList<MadeFault> faults)
    {
        var key = violation.Key;
        Line($"\n{violation.Rule} at {violation.At.TotalSeconds:F4} s, {Values.Key(key)}{(violation.Version > 0 ? $", should be version {violation.Version} or newer" : "")}");
        var versions = new[] { violation.Version, violation.Read?.Version ?? 0, violation.Write?.Version ?? 0 }.Where(version => version > 0).DefaultIfEmpty(1).ToList();
        var lines = new List<(TimeSpan At, string Text)>();
        lines.AddRange(history.Writes[key]
            .Where(write => (write.Version >= versions.Min() - 1 && write.Version <= versions.Max() + 1) || (violation.At > write.Start && violation.At < write.End))
            .TakeLast(10)
            .Select(write => (write.Start, Describe(write))));
        if (violation.Read is { } read)
        {
            lines.Add((read.Start, $"{Describe(read)}   <=="));
            var others = history.Reads.Where(other => other.Key == key && other != read).OrderBy(other => other.Start).ToList();
            lines.AddRange(others.Where(other => other.Start <= read.Start).TakeLast(5).Concat(others.Where(other => other.Start > read.Start).Take(3))
                .Select(other => (other.Start, Describe(other))));
        }

        var (from, until) = (violation.At - TimeSpan.FromSeconds(3), violation.At + TimeSpan.FromSeconds(0.5));
        lines.AddRange(faults.Where(fault => fault.When.Start < until && fault.When.End > from)
            .Select(fault => (fault.When.Start, $"fault {fault.What}, until {fault.When.End.TotalSeconds:F2} s")));
        foreach (var (at, text) in lines.OrderBy(line => line.At))
        {
            Line($"  {at.TotalSeconds,9:F4} s  {text}");
        }
    }

    private static string Describe(Write write) =>
        $"write {write.Version} {(write.Deletes ? "DEL" : "SET")}{(write.TimeToLive > TimeSpan.Zero ? $" px {write.TimeToLive.TotalMilliseconds}" : "")} "
        + $"{(write.Form is WriteForm.AtRedis or WriteForm.Http ? "" : $"{write.Form} ")}{Where(write.Gateway)}: {write.Outcome} {(write.Status > 0 ? write.Status : "")} after {write.Took.TotalMilliseconds:F1} ms"
        + (write.End < TimeSpan.MaxValue ? $", certain from {write.End.TotalSeconds:F4} s" : "");

    private static string Describe(Read read) =>
        $"read {read.Form} {Where(read.Gateway)}: {(read.Outcome == ReadOutcome.Value ? $"version {read.Version}" : $"{read.Outcome} {read.Status}")} "
        + $"after {read.Took.TotalMilliseconds:F1} ms {(read.Word == CacheWord.None ? "" : read.Word)}{(read.Marked ? " marked" : "")}{(read.Age > 0 ? $" age {read.Age}" : "")}{(read.Behind > 0 ? $" behind the write of version {read.Behind}" : "")}";

    private static string Where(byte gateway) => gateway == History.Redis ? "at Redis" : $"through gateway {gateway}";

    private static string Counts<T>(IEnumerable<T> of, Func<T, string> by) =>
        string.Join(", ", of.GroupBy(by).OrderByDescending(group => group.Count()).Select(group => $"{group.Count()} {group.Key}"));

    private static double At(List<double> sorted, double share) => sorted.Count == 0 ? 0 : sorted[(int)(share * (sorted.Count - 1))];

    private static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
