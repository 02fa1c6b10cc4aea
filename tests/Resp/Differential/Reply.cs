using System.Globalization;

namespace RpOrleans.Tests.Resp.Differential;

/// <summary>A reply of either version of the protocol, and all that it came in.</summary>
internal sealed record Reply(char Type, string Text, Reply[] Items)
{
    /// <summary>Takes replies apart, a byte a character; what is not a whole reply at the end becomes one of type 0.</summary>
    public static List<Reply> ParseAll(string bytes)
    {
        var replies = new List<Reply>();
        var at = 0;
        while (at < bytes.Length)
        {
            replies.Add(Parse(bytes, ref at));
        }

        return replies;
    }

    /// <summary>How two replies differ; <see langword="null"/> if they are as like as they must be.</summary>
    public static string? Difference(IReadOnlyList<Reply> ours, IReadOnlyList<Reply> theirs)
    {
        Likeness? likeness = null;
        for (var i = 0; i < Math.Max(ours.Count, theirs.Count); i++)
        {
            if (i == ours.Count || i == theirs.Count)
            {
                return $"RpOrleans: {(i == ours.Count ? "(nothing)" : ours[i])}\nRedis:     {(i == theirs.Count ? "(nothing)" : theirs[i])}";
            }

            if (Difference(ours[i], theirs[i], likeness) is { } difference)
            {
                return $"Reply {i + 1} of {theirs.Count}\n{difference}";
            }

            likeness = theirs[i].Type == '$' ? Likeness.Marked(theirs[i].Text) : null;
        }

        return null;
    }

    /// <summary>The same with every number that is not below zero the same.</summary>
    public Reply WithoutNumbers() => this with { Text = Type == ':' && !Text.StartsWith('-') ? "n" : Text, Items = [.. Items.Select(item => item.WithoutNumbers())] };

    public override string ToString() => Printable(ToRaw());

    private static string? Difference(Reply ours, Reply theirs, Likeness? likeness)
    {
        var same = likeness switch
        {
            _ when theirs.Type is '-' => ours.ToRaw() == theirs.ToRaw(),
            null when theirs.Items.Length > 0 && ours.Type == theirs.Type && ours.Text == theirs.Text => Difference(ours.Items, theirs.Items) is null, // what EXEC brings may be marked inside
            _ when likeness == Likeness.Kind => ours.Type == theirs.Type,
            _ when likeness == Likeness.Unordered => ours.Sorted().ToRaw() == theirs.Sorted().ToRaw(),
            _ when likeness == Likeness.Numbers => ours.WithoutNumbers().ToRaw() == theirs.WithoutNumbers().ToRaw(),
            _ when likeness == Likeness.Seconds => Near(ours, theirs, Likeness.SecondsBetween),
            _ when likeness == Likeness.Milliseconds => Near(ours, theirs, 1000 * Likeness.SecondsBetween),
            _ => ours.ToRaw() == theirs.ToRaw(),
        };
        return same ? null : $"RpOrleans: {ours}\nRedis:     {theirs}";
    }

    private static bool Near(Reply ours, Reply theirs, int by) =>
        ours.ToRaw() == theirs.ToRaw()
        || (ours.Type == ':' && theirs.Type == ':' && long.TryParse(ours.Text, out var a) && long.TryParse(theirs.Text, out var b) && a >= 0 && b >= 0 && Math.Abs(a - b) <= by);

    private Reply Sorted() => this with { Items = [.. Items.Select(item => item.Sorted()).OrderBy(item => item.ToRaw(), StringComparer.Ordinal)] };

    private string ToRaw() => Type switch
    {
        '\0' => Text,
        '$' or '=' or '!' when Text != "-1\0" => $"{Type}{Text.Length}\r\n{Text}\r\n",
        _ => $"{Type}{Text.TrimEnd('\0')}\r\n{string.Concat(Items.Select(item => item.ToRaw()))}",
    };

    private static Reply Parse(string bytes, ref int at)
    {
        var end = bytes.IndexOf("\r\n", at, StringComparison.Ordinal);
        if (end < 0)
        {
            return Rest(bytes, ref at);
        }

        var (type, line) = (bytes[at], bytes[(at + 1)..end]);
        if (type is '$' or '=' or '!' or '*' or '~' or '>' or '%' or '|')
        {
            if (!int.TryParse(line, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var length))
            {
                return Rest(bytes, ref at);
            }

            at = end + 2;
            if (type is '$' or '=' or '!')
            {
                if (length < 0)
                {
                    return new Reply(type, "-1\0", []); // no text can be this
                }

                if (at + length + 2 > bytes.Length)
                {
                    return Rest(bytes, ref at);
                }

                at += length + 2;
                return new Reply(type, bytes[(at - length - 2)..(at - 2)], []);
            }

            var items = new List<Reply>();
            for (var i = type is '%' or '|' ? 2 * length : length; i > 0 && at < bytes.Length; i--)
            {
                items.Add(Parse(bytes, ref at));
            }

            return new Reply(type, line, [.. items]);
        }

        at = end + 2;
        return new Reply(type, line, []);
    }

    private static Reply Rest(string bytes, ref int at)
    {
        var rest = bytes[at..];
        at = bytes.Length;
        return new Reply('\0', rest, []);
    }

    private static string Printable(string raw)
    {
        var text = string.Concat(raw.Select(letter => letter switch { '\r' => "\\r", '\n' => "\\n", >= ' ' and <= '~' => letter.ToString(), _ => $"\\x{(int)letter:x2}" }));
        return text.Length <= 600 ? text : text[..600] + "…";
    }
}
