using System.Text;
using RpOrleans.Gateway.Resp.Upstream;

namespace RpOrleans.Gateway.Resp.Commands;

// redis.io, "Command key specifications": where keys begin (at an index, or behind a word), and how many there are (a range
// from there, or as many as an argument says). Before Redis 7 there is the first, the last and the step only.

/// <summary>Which arguments of a command are keys, and whether it changes them.</summary>
internal sealed class KeySpec
{
    private readonly string? _keyword; // behind which they begin; null for an index
    private readonly int _begin; // the index, or where the search for the word begins
    private readonly bool _counted; // whether an argument says how many there are
    private readonly int _last; // a range: relative to the first if not negative, else to the end; counted: where the count is
    private readonly int _step;
    private readonly int _limit; // a range to the end: which part of the rest, 2 for a half
    private readonly int _offset; // counted: from the count to the first key

    private KeySpec(string? keyword, int begin, bool counted, int last, int step, int limit, int offset, bool written) =>
        (_keyword, _begin, _counted, _last, _step, _limit, _offset, Written) = (keyword, begin, counted, last, Math.Max(1, step), limit, offset, written);

    /// <summary>Whether they may be changed.</summary>
    public bool Written { get; }

    /// <summary>How many there are is not said by their places.</summary>
    public bool Counted => _counted;

    /// <summary>As it was described before Redis 7.</summary>
    public static KeySpec Range(int first, int last, int step, bool written) =>
        new(null, first, false, last < 0 ? last : last - first, step, 0, 0, written);

    /// <summary>Reads a specification.</summary>
    /// <returns>It; <see langword="null"/> for one that says nothing of where the keys are.</returns>
    public static KeySpec? Parse(ReplyValue spec)
    {
        var written = Flags(spec).Any(flag => flag is "RW" or "OW" or "RM");
        var (begin, find) = (spec["begin_search"], spec["find_keys"]);
        var (where, what) = (begin?["spec"], find?["spec"]);
        var (keyword, from) = begin?["type"]?.Text switch
        {
            "index" => ((string?)null, Number(where, "index")),
            "keyword" => (where?["keyword"]?.Text, Number(where, "startfrom")),
            _ => (null, 0),
        };
        return (begin?["type"]?.Text, find?["type"]?.Text) switch
        {
            ("index" or "keyword", "range") => new(keyword, from, false, Number(what, "lastkey"), Number(what, "keystep"), Number(what, "limit"), 0, written),
            ("index" or "keyword", "keynum") => new(keyword, from, true, Number(what, "keynumidx"), Number(what, "keystep"), 0, Number(what, "firstkey"), written),
            _ => null,
        };
    }

    /// <summary>What is said of a specification in words.</summary>
    public static IEnumerable<string> Flags(ReplyValue spec) => spec["flags"]?.Items.Select(flag => flag.Text) ?? [];

    /// <summary>Whether the server may find keys elsewhere in a request: behind another of the same word (the last <c>STORE</c> of <c>GEORADIUS</c> counts), or none where some are announced.</summary>
    public bool IsAmbiguousIn(in Request request)
    {
        if (_counted && !In(request).Any())
        {
            return true;
        }

        var words = 0;
        for (var at = 1; _keyword is not null && at < request.Count; at++)
        {
            words += Ascii.EqualsIgnoreCase(request[at], _keyword) ? 1 : 0;
        }

        return words > 1;
    }

    /// <summary>Where the keys of a request are.</summary>
    public IEnumerable<int> In(Request request)
    {
        if (Begin(request) is not { } first)
        {
            yield break;
        }

        var last = request.Count - 1;
        if (_counted)
        {
            if (first + _last >= request.Count || !Digits.TryParse(request[first + _last], out var count) || count <= 0)
            {
                yield break;
            }

            first += _offset;
            last = (int)Math.Min(last, first + ((count - 1) * _step));
        }
        else if (_last >= 0)
        {
            last = Math.Min(last, first + _last);
        }
        else
        {
            last = _limit <= 1 ? request.Count + _last : first + ((request.Count - first) / _limit) + _last;
        }

        for (var at = first; at <= last; at += _step)
        {
            yield return at;
        }
    }

    private int? Begin(Request request)
    {
        if (_keyword is null)
        {
            return _begin < request.Count ? _begin : null;
        }

        var step = _begin < 0 ? -1 : 1;
        for (var at = _begin < 0 ? request.Count + _begin : _begin; at > 0 && at < request.Count; at += step)
        {
            if (Ascii.EqualsIgnoreCase(request[at], _keyword) && at + 1 < request.Count)
            {
                return at + 1;
            }
        }

        return null;
    }

    private static int Number(ReplyValue? map, string name) => (int)(map?[name]?.Number ?? 0);
}
