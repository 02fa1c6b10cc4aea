namespace RpOrleans.Checker.Judging;

/// <summary>What a history comes to.</summary>
/// <param name="Violations">What was promised and not kept, in the order of time.</param>
/// <param name="Staleness">For each outside write and each gateway, how long after it the older version was still served, unmarked.</param>
/// <param name="Excused">Reads older than a write that a gateway had acknowledged, but within what then holds: marked, or views did not agree.</param>
internal sealed record Judgement(IReadOnlyList<Violation> Violations, IReadOnlyList<TimeSpan> Staleness, int Excused);

// A history is judged when it is complete, by what each read may have seen and by nothing else: no judgement depends on what
// the product says of itself, but that an answer is marked. What the Redis protocol cannot mark counts as marked while Redis, or a node's way there,
// is faulty, unless nothing unconfirmed may be served (COHERENCE=tracking). Where the moment of something is unsure, the read is given
// the benefit: a write took effect at its end for those who missed it, and at its start for those who saw it.

/// <summary>Finds what was promised and not kept in a history.</summary>
internal sealed class Judge
{
    private readonly History _history;
    private readonly Rules _rules;
    private readonly Spans _disturbed;
    private readonly Spans _stoodIn;
    private readonly Spans _unconfirmed;
    private readonly Spans _upstream;
    private readonly Spans _frozen;
    private readonly Spans _passesLate;
    private readonly List<Violation> _violations = [];
    private readonly Dictionary<(ushort Key, int Version, byte Gateway), TimeSpan> _stale = [];
    private int _excused;

    private Judge(History history, Rules rules)
    {
        (_history, _rules) = (history, rules);
        (_disturbed, _frozen) = (new Spans(history.Disturbed), new Spans(history.Frozen));
        (_unconfirmed, _upstream) = (new Spans(history.Unconfirmed), new Spans(history.Upstream));
        _passesLate = new Spans(history.Frozen.Concat(history.Upstream));
        _stoodIn = new Spans(history.Disturbed.Concat(history.StoodIn).Concat(history.Reads.Where(read => read.Took > rules.OwnersShare).Select(read => new Span(read.Start, read.End))));
    }

    public static Judgement Of(History history, Rules rules) => new Judge(history, rules).Run();

    private Judgement Run()
    {
        foreach (var write in _history.Writes.SelectMany(writes => writes))
        {
            JudgeAnswer(write);
        }

        foreach (var (key, reads) in _history.Reads.GroupBy(read => read.Key).Select(group => (group.Key, group.ToArray())))
        {
            var versions = new Versions(_history.Writes[key], _rules, _disturbed);
            var states = new List<(Read Read, int First, int Last)>(reads.Length);
            foreach (var answer in reads)
            {
                JudgeAnswer(answer);
                var read = MayBeUnconfirmed(answer) ? answer with { Marked = true } : answer;
                if (JudgeState(read, versions) is { } state && read.Form != ReadForm.Direct)
                {
                    states.Add((read, state.First, state.Last));
                }
            }

            foreach (var gateway in states.GroupBy(state => state.Read.Gateway))
            {
                JudgeOrder([.. gateway]);
            }
        }

        _violations.Sort((one, other) => one.At.CompareTo(other.At));
        return new Judgement(_violations, [.. Staleness()], _excused);
    }

    /// <summary>What holds of any answer to a write.</summary>
    private void JudgeAnswer(Write write)
    {
        if (write.Gateway == History.Redis)
        {
            return;
        }

        Rule? broken = write.Status switch
        {
            500 => Rule.InternalError,
            0 when write.Passed && _upstream.Touch(write.Start, write.Start + write.Took) => null,
            0 when write.Took <= _rules.LatestWrite => Rule.NoAnswer,
            0 or 200 or 204 or 502 or 503 or 504 => null,
            _ => Rule.UnexpectedStatus,
        };
        Add(broken ?? (IsLate(write.Start, write.Took, _rules.LatestWrite, write.Passed) ? Rule.Late : null));

        void Add(Rule? rule)
        {
            if (rule is { } found)
            {
                _violations.Add(new Violation(found, write.Key, write.Start + write.Took, Read: null, write));
            }
        }
    }

    /// <summary>What holds of any answer to a read.</summary>
    private void JudgeAnswer(Read read)
    {
        if (read.Form == ReadForm.Direct)
        {
            return;
        }

        var waits = read.Form == ReadForm.BehindWrites;
        Rule? broken = (read.Outcome, read.Status) switch
        {
            (ReadOutcome.NoAnswer, _) when waits && _upstream.Touch(read.Start, read.End) => null,
            (ReadOutcome.NoAnswer, _) => Rule.NoAnswer,
            (ReadOutcome.OtherKey, _) => Rule.OtherKey,
            (ReadOutcome.Malformed, _) => Rule.Malformed,
            (_, 500) => Rule.InternalError,
            (_, 200 or 404 or 502 or 503 or 504) => null,
            _ => Rule.UnexpectedStatus,
        };
        if (broken is { } rule)
        {
            Add(rule, read);
        }

        if (IsLate(read.Start, read.Took, waits ? _rules.LatestRead + _rules.LatestWrite : _rules.LatestRead, waits))
        {
            Add(Rule.Late, read);
        }

        if (read.Marked && !_rules.MayMark)
        {
            Add(Rule.Marked, read);
        }

        if (read.Age > (_rules.UtmostBound + _rules.StaleIfError).TotalSeconds)
        {
            Add(Rule.AgeBeyondUtmost, read);
        }
    }

    /// <summary>Whether what was seen can have been there.</summary>
    /// <returns>The states that were met, first and last; <see langword="null"/> when that cannot be said.</returns>
    private (int First, int Last)? JudgeState(Read read, Versions versions)
    {
        if (read.Outcome is not (ReadOutcome.Value or ReadOutcome.Absent))
        {
            return null;
        }

        var direct = read.Form == ReadForm.Direct;
        var floor = versions.Floor(read);
        if (read.Outcome == ReadOutcome.Absent)
        {
            var absences = versions.Absences(read, floor);
            if (absences is null)
            {
                Add(direct ? Rule.RedisDiffers : Rule.AbsentThoughThere, read, floor);
            }

            return absences;
        }

        var version = read.Version;
        if (version > versions.Count || versions[version] is var write && (write.Start > read.End || write.Outcome == Outcome.Never || write.Deletes))
        {
            Add(Rule.NeverWritten, read);
            return null;
        }

        if (version < floor)
        {
            Add(direct ? Rule.RedisDiffers
                : read.Marked ? Rule.OlderThanUtmost
                : versions[floor].Promised ? Rule.OlderThanAcknowledged
                : Rule.OlderThanOutsideWrite, read, floor);
        }
        else if (versions.HasExpired(version, read))
        {
            Add(direct ? Rule.RedisDiffers : Rule.Expired, read, version);
        }
        else if (!direct && version < versions.Acknowledged(read))
        {
            _excused++;
        }

        if (!direct && !read.Marked)
        {
            NoteStaleness(read, versions);
        }

        return (2 * version, 2 * version);
    }

    // Row 4. A read is judged by the earliest one that had ended before it began and had seen something newer: from that
    // end on, all reads through this gateway see it too; where there was not one owner to answer, after the bound.
    private void JudgeOrder((Read Read, int First, int Last)[] reads)
    {
        var ended = reads.OrderBy(seen => seen.Read.End).ToArray();
        var newest = new List<(TimeSpan Since, int State)>(); // as it rises
        var next = 0;
        foreach (var (read, _, last) in reads.OrderBy(seen => seen.Read.Start))
        {
            for (; next < ended.Length && ended[next].Read.End < read.Start; next++)
            {
                if (newest.Count == 0 || ended[next].First > newest[^1].State)
                {
                    newest.Add((ended[next].Read.End, ended[next].First));
                }
            }

            if (read.Marked || newest.Count == 0 || newest[^1].State <= last)
            {
                continue;
            }

            var newer = newest.Count - 1;
            while (newer > 0 && newest[newer - 1].State > last)
            {
                newer--;
            }

            var (since, state) = newest[newer];
            if (!_stoodIn.Touch(since, read.Start) || read.Start > since + _rules.DisturbedBound)
            {
                Add(Rule.Backwards, read, state / 2);
            }
        }
    }

    /// <summary>
    /// Whether a read in the Redis protocol is given the benefit of a mark that it cannot bear: where HTTP might mark the answer, and
    /// nowhere else. That a key is absent is never said without Redis's confirmation.
    /// </summary>
    private bool MayBeUnconfirmed(Read read) =>
        read is { ByResp: true, Outcome: ReadOutcome.Value } && _rules.MayMark && _unconfirmed.Touch(read.Start, read.End);

    private bool IsLate(TimeSpan start, TimeSpan took, TimeSpan latest, bool passed) =>
        took > latest && took > latest + (passed ? _passesLate : _frozen).Share(start, start + took);

    private void NoteStaleness(Read read, Versions versions)
    {
        if (versions.Next(read.Version) is > 0 and var next && versions[next] is { Gateway: History.Redis } newer && read.Start > newer.End)
        {
            var stale = read.Start - newer.End;
            var place = (read.Key, next, read.Gateway);
            _stale[place] = _stale.TryGetValue(place, out var before) && before > stale ? before : stale;
        }
    }

    private IEnumerable<TimeSpan> Staleness()
    {
        var gateways = _history.Reads.Where(read => read.Form != ReadForm.Direct).Select(read => read.Gateway).Distinct().ToList();
        foreach (var write in _history.Writes.SelectMany(writes => writes).Where(write => write is { Gateway: History.Redis, Outcome: Outcome.Acknowledged }))
        {
            foreach (var gateway in gateways)
            {
                yield return _stale.GetValueOrDefault((write.Key, write.Version, gateway));
            }
        }
    }

    private void Add(Rule rule, Read read, int version = 0) => _violations.Add(new Violation(rule, read.Key, read.Start, read, Write: null, version));
}
