using CsCheck;
using RpOrleans.Gateway.Resp.Upstream;

namespace RpOrleans.Tests.Resp.Differential;

/// <summary>Makes cases of every command that the server has and the gateway lets through.</summary>
internal sealed class CaseGen : Gen<Case>
{
    private const string P = Step.Prefix;
    private const int GroupsAtMost = 220;

    /// <summary>Marked as dangerous, and let through all the same.</summary>
    private static readonly string[] _letThrough = ["keys", "sort", "info"];

    /// <summary>Answered otherwise than by Redis, or at another time: docs/resp.md, "What differs from Redis".</summary>
    private static readonly string[] _different = ["client|tracking", "client|help", "client|reply", "script|debug", "select", "post", "host:"];

    /// <summary>What changes how everything after it is answered stands in groups of its own.</summary>
    private static readonly string[] _grouped = ["multi", "exec", "discard", "watch", "quit", "reset", "hello", "subscribe", "psubscribe", "ssubscribe", "auth"];

    /// <summary>Answered by the gateway itself, which does not queue them.</summary>
    private static readonly string[] _ofConnection = ["client", "hello", "select", "auth", "subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe"];

    /// <summary>Take long, or say much: the others would come too short.</summary>
    private static readonly string[] _rare = ["command", "command|docs", "command|list", "command|info", "lolwut"];

    private static readonly string[] _alone =
    [
        "EXEC", "DISCARD", "EXEC x", "MULTI x", "UNWATCH", "UNSUBSCRIBE", "PUNSUBSCRIBE a", "SUNSUBSCRIBE", "SUBSCRIBE", "HELLO x", "HELLO 4", "HELLO 2 SETNAME", "HELLO 3 AUTH bad x", "CLIENT", "CLIENT NOSUCH", "CLIENT GETNAME",
        "CLIENT SETNAME me", "CLIENT SETNAME", "CLIENT GETREDIR", "CLIENT TRACKINGINFO", "CLIENT CACHING YES", "CLIENT TRACKING OFF", "CLIENT REPLY x", "CLIENT REPLY ON", "SELECT 0", "SELECT x", "SELECT", "AUTH", "AUTH default x", "AUTH bad x", "AUTH x",
        "NOSUCH", "nosuch a b", "CONFIG NOSUCH", "QUITE", "RESET x",
    ];

    private readonly Grammar[] _common;
    private readonly Grammar[] _blocking;
    private readonly Grammar[] _seldom;

    private CaseGen(IReadOnlyList<Grammar> grammars)
    {
        _seldom = [.. grammars.Where(grammar => _rare.Contains(grammar.Name))];
        _blocking = [.. grammars.Where(grammar => grammar.Blocks)];
        _common = [.. grammars.Except(_seldom).Except(_blocking)];
        Names = [.. grammars.Select(grammar => grammar.Name)];
    }

    /// <summary>The commands that are made, subcommands by themselves.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Asks the server what commands it has.</summary>
    public static async Task<CaseGen> ReadAsync(int port)
    {
        using var redis = await RespSocket.ConnectAsync(port);
        var (table, docs) = (await redis.ReplyAsync("COMMAND"), await redis.ReplyAsync("COMMAND", "DOCS"));
        var grammars = new List<Grammar>();
        foreach (var entry in table.Items)
        {
            Add(entry, docs[entry.Items[0].Text]);
        }

        return new CaseGen([.. grammars.OrderBy(grammar => grammar.Name, StringComparer.Ordinal)]); // each server has its own order

        void Add(ReplyValue entry, ReplyValue? description)
        {
            var name = entry.Items[0].Text;
            foreach (var subcommand in entry.Items[9].Items)
            {
                Add(subcommand, description?["subcommands"]?[subcommand.Items[0].Text]);
            }

            var flags = entry.Items[2].Items.Select(flag => flag.Text).ToList();
            var dangerous = flags.Contains("admin") || entry.Items[6].Items.Any(category => category.Text is "@admin" or "@dangerous");
            if ((!dangerous || _letThrough.Contains(name)) && !_different.Contains(name) && !_grouped.Contains(name) && entry.Items[9].Items.Count == 0)
            {
                grammars.Add(new Grammar(name, description?["group"]?.Text ?? "", flags.Contains("blocking"), description?["arguments"]));
            }
        }
    }

    public override Case Generate(PCG pcg, Size? min, out Size size)
    {
        var groups = Enumerable.Range(0, 1 + pcg.Below(GroupsAtMost)).Select(_ => MakeGroup(pcg)).ToArray();
        var made = new Case(2 + pcg.Below(2), groups, [.. Enumerable.Range(0, pcg.Below(6)).Select(_ => pcg.Below(10_000) / 10_000.0)], pcg.Chance(40));
        size = new Size((ulong)made.Commands);
        return made;
    }

    private Group MakeGroup(PCG pcg) => pcg.Below(100) switch
    {
        < 84 => new([One(pcg)]),
        < 88 => new([Step.Of(pcg.OneOf(_alone))]),
        < 94 => new([.. Some(pcg, 0, Step.Of("MULTI"), step => !IsOfConnection(step)), Step.Of(pcg.Chance(5) ? "DISCARD" : "EXEC")]),
        < 96 => new([.. Some(pcg, 1, Step.Of($"WATCH {pcg.OneOf(Words.Keys)}"), step => step.Words[0].ToUpperInvariant() is not "MULTI"), Step.Of("UNWATCH")]),
        < 98 => new([.. Some(pcg, 1, Step.Of($"{pcg.OneOf(_subscribe)} {P}channel"), step => true), .. _unsubscribe]),
        < 99 => pcg.Chance(2)
            ? new([.. Some(pcg, 1, Step.Of("CLIENT REPLY OFF"), step => !IsOfConnection(step)), Step.Of("CLIENT REPLY ON")])
            : new([Step.Of("CLIENT REPLY SKIP"), Step.Of($"GET {P}s")]),
        _ => new([pcg.OneOf(_protocol)]),
    };

    private static readonly string[] _subscribe = ["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"];
    private static readonly Step[] _unsubscribe = [Step.Of("UNSUBSCRIBE"), Step.Of("PUNSUBSCRIBE"), Step.Of("SUNSUBSCRIBE")];
    private static readonly Step[] _protocol = [Step.Of("RESET"), new Step(["HELLO", "3"], Likeness.Numbers), new Step(["HELLO", "2"], Likeness.Numbers), new Step(["hello"], Likeness.Numbers), new Step(["HELLO", "3", "SETNAME", "you"], Likeness.Numbers)];

    private static bool IsOfConnection(Step step) => _ofConnection.Contains(step.Words[0].ToLowerInvariant());

    private IEnumerable<Step> Some(PCG pcg, int atLeast, Step first, Func<Step, bool> suits)
    {
        yield return first;
        for (var i = atLeast + pcg.Below(6); i > 0; i--)
        {
            var step = One(pcg);
            if (suits(step))
            {
                yield return step;
            }
        }
    }

    private Step One(PCG pcg) => (pcg.Below(100) switch
    {
        < 96 => pcg.OneOf(_common),
        < 99 => pcg.OneOf(_blocking),
        _ => pcg.Chance(3) ? pcg.OneOf(_seldom) : pcg.OneOf(_common),
    }).Write(pcg);
}
