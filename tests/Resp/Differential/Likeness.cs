namespace RpOrleans.Tests.Resp.Differential;

/// <summary>How like each other two servers' replies to a command must be, where they cannot be the same to the byte.</summary>
internal sealed record Likeness(string Mark)
{
    /// <summary>The same kind of reply: its content is of chance, of the moment, or of the server itself.</summary>
    public static readonly Likeness Kind = new("~kind");

    /// <summary>The same but for the order: hash tables are seeded anew in each process.</summary>
    public static readonly Likeness Unordered = new("~unordered");

    /// <summary>The same but for the numbers: they count milliseconds, bytes of memory or clients.</summary>
    public static readonly Likeness Numbers = new("~numbers");

    /// <summary>The same, but for time that passes between the two: seconds.</summary>
    public static readonly Likeness Seconds = new("~seconds");

    /// <summary>The same, but for time that passes between the two: milliseconds.</summary>
    public static readonly Likeness Milliseconds = new("~milliseconds");

    /// <summary>By how much times may differ on a busy machine.</summary>
    public const int SecondsBetween = 20;

    private static readonly Dictionary<string, Likeness> _all = new()
    {
        // chance
        ["randomkey"] = Kind, ["srandmember"] = Kind, ["hrandfield"] = Kind, ["zrandmember"] = Kind, ["acl|genpass"] = Kind, ["lolwut"] = Kind,
        // the moment and the server
        ["time"] = Kind, ["info"] = Kind, ["lastsave"] = Kind, ["memory|doctor"] = Kind, ["memory|stats"] = Kind, ["memory|malloc-stats"] = Kind, ["memory|usage"] = Numbers,
        ["object|idletime"] = Numbers, ["xinfo|consumers"] = Numbers, ["xinfo|stream"] = Numbers, ["xpending"] = Numbers, ["latency|latest"] = Kind, ["function|stats"] = Numbers,
        ["hello"] = Numbers, ["client|id"] = Kind, ["client|info"] = Kind, // of the gateway's own clients
        ["pubsub|channels"] = Kind, ["pubsub|shardchannels"] = Kind, ["pubsub|numpat"] = Numbers, // the gateway's connection for invalidations, and clients that have left just now
        // order
        ["smembers"] = Unordered, ["sinter"] = Unordered, ["sunion"] = Unordered, ["sdiff"] = Unordered, ["keys"] = Unordered, ["hgetall"] = Unordered, ["hkeys"] = Unordered, ["hvals"] = Unordered,
        ["spop"] = Unordered, ["scan"] = Unordered, ["sscan"] = Unordered, ["hscan"] = Unordered, ["zscan"] = Unordered, ["function|list"] = Unordered, ["acl|cat"] = Unordered,
        ["command"] = Unordered, ["command|list"] = Unordered, ["command|docs"] = Unordered, ["command|info"] = Unordered,
        ["dump"] = Kind, ["function|dump"] = Kind, // the order, with a checksum over it
        ["sort"] = Kind, ["sort_ro"] = Kind, // unsorted with LIMIT: any of a set's members
        // time
        ["ttl"] = Seconds, ["expiretime"] = Seconds, ["pttl"] = Milliseconds, ["pexpiretime"] = Milliseconds,
    };

    /// <summary>What is asked of the replies to a command; <see langword="null"/> for the same bytes.</summary>
    public static Likeness? Of(string command, IReadOnlyList<string> words) =>
        command is "expire" or "pexpire" && words.Any(word => word is "GT" or "LT") ? Numbers // whether a moment is later than one just set depends on the millisecond
        : command.EndsWith("scan", StringComparison.Ordinal) && !(words.Contains("10000") && words.ElementAtOrDefault(command == "scan" ? 1 : 2) is "0" or "abc" or "") ? Kind // where it stops, or goes on
        : command is "eval" or "eval_ro" && words.Any(word => word.Contains("HGETALL", StringComparison.Ordinal)) ? Unordered
        : _all.GetValueOrDefault(command);

    public static Likeness? Marked(string mark) =>
        mark == Kind.Mark ? Kind : mark == Unordered.Mark ? Unordered : mark == Numbers.Mark ? Numbers : mark == Seconds.Mark ? Seconds : mark == Milliseconds.Mark ? Milliseconds : null;
}
