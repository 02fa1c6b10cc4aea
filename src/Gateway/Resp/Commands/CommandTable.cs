using RpOrleans.Gateway.Resp.Upstream;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Gateway.Resp.Commands;

/// <summary>What the server says of the commands that it knows.</summary>
internal static class CommandTable
{
    private static readonly string[] _notShort = ["@admin", "@dangerous", "@connection", "@transaction", "@pubsub", "@scripting", "@blocking"];

    /// <summary>Asks for it.</summary>
    /// <exception cref="OriginException">It cannot be had.</exception>
    public static async Task<NameTable<Command>> ReadAsync(UpstreamConnection connection)
    {
        var reply = await connection.AskAsync(CancellationToken.None, "COMMAND").ConfigureAwait(false);
        return reply.IsError ? throw new OriginException(OriginFault.Refused) : Table(reply.Items);
    }

    private static NameTable<Command> Table(IEnumerable<ReplyValue> entries) => new(
        entries.Where(entry => entry.Items.Count >= 6).Select(Parse)
            .Select(command => KeyValuePair.Create(command.Name[(command.Name.IndexOf('|', StringComparison.Ordinal) + 1)..], command))
            .DistinctBy(named => named.Key, StringComparer.OrdinalIgnoreCase));

    private static Command Parse(ReplyValue entry)
    {
        var items = entry.Items;
        var flags = items[2].Items.Select(flag => flag.Text).ToHashSet();
        var categories = items.Count > 6 ? items[6].Items.Select(category => category.Text).ToHashSet() : [];
        var writes = flags.Contains("write");
        var specs = items.Count > 8 ? items[8].Items.Where(spec => !KeySpec.Flags(spec).Contains("not_key")).ToList() : [];
        var keys = specs.Select(KeySpec.Parse).OfType<KeySpec>().ToList();
        var movable = flags.Contains("movablekeys");
        if (items.Count <= 8)
        {
            // Before Redis 7: a script has no flag of its own but that its keys are anywhere.
            writes |= movable && !flags.Contains("readonly");
            keys = items[3].Number > 0 ? [KeySpec.Range((int)items[3].Number, (int)items[4].Number, (int)items[5].Number, writes)] : [];
        }

        return new Command
        {
            Name = items[0].Text.ToLowerInvariant(),
            Arity = (int)items[1].Number,
            Writes = writes || keys.Exists(spec => spec.Written),
            ReadsOnly = flags.Contains("readonly"),
            Scripts = categories.Contains("@scripting"),
            Blocks = flags.Contains("blocking"),
            Short = (flags.Contains("fast") || flags.Contains("write")) && categories.Count > 0 && !flags.Contains("blocking") && !movable && !categories.Overlaps(_notShort),
            Dangerous = flags.Contains("admin") || categories.Contains("@admin") || categories.Contains("@dangerous"),
            Keys = keys,
            KeysIncomplete = items.Count > 8 ? keys.Count < specs.Count || specs.Exists(spec => KeySpec.Flags(spec).Contains("incomplete")) : movable,
            Subcommands = items.Count > 9 ? Table(items[9].Items) : NameTable<Command>.Empty,
        };
    }
}
