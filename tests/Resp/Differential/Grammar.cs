using CsCheck;
using RpOrleans.Gateway.Resp.Upstream;

namespace RpOrleans.Tests.Resp.Differential;

/// <summary>How a command is written, in the server's own words: <c>COMMAND DOCS</c>.</summary>
/// <param name="Name">Its name, with its container's before it: <c>config|get</c>.</param>
/// <param name="Group">What it works on.</param>
/// <param name="Blocks">Whether it may wait.</param>
/// <param name="Arguments">Its arguments.</param>
internal sealed record Grammar(string Name, string Group, bool Blocks, ReplyValue? Arguments)
{
    /// <summary>Commands that set an end to a key's life: nothing is changed in their arguments that might make it a short one.</summary>
    private bool IsCareful => Blocks || Name.Contains("expire", StringComparison.Ordinal) || Name is "set" or "setex" or "psetex" or "getex" or "wait" or "xclaim" or "xautoclaim" or "xpending" or "object|idletime";

    /// <summary>Writes one, right or wrong.</summary>
    public Step Write(PCG pcg)
    {
        var words = new List<string>(Name.Split('|'));
        if (pcg.Chance(8))
        {
            words = [.. words.Select(word => word.ToUpperInvariant())];
        }

        var named = words.Count;
        new Writer(this, pcg, words, repeats: 1 + pcg.Below(3)).Write(Arguments);
        if (pcg.Chance(4))
        {
            Spoil(pcg, words, named);
        }

        if (Name == "spop" && words.Count == 2)
        {
            words.Add("1000"); // all of it: which one is chance, and what is left then differs
        }

        if (Name == "sort" && words.Contains("BY") && words.IndexOf("STORE") is > 0 and var store)
        {
            words.RemoveRange(store, words.Count - store); // where all weigh the same, a set's order is chance, and it would be kept
        }

        var inline = pcg.Chance(16) && words.TrueForAll(word => word.Length is > 0 and < 200 && word.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '{' or '}' or '|' or '-'));
        return new Step([.. words], Likeness.Of(Name, words), inline);
    }

    /// <summary>Instead of <c>*</c>, an id by the server's clock, which no two servers show alike.</summary>
    private const string ClockId = "7-*";

    private void Spoil(PCG pcg, List<string> words, int named)
    {
        var at = named + pcg.Below(words.Count - named + 1);
        switch (IsCareful ? pcg.Below(2) : pcg.Below(6))
        {
            case 0:
                words.Add("junk");
                break;
            case 1:
                words.RemoveRange(at, words.Count - at);
                break;
            case 2 when at < words.Count:
                words.RemoveAt(at);
                break;
            case 3 when at < words.Count:
                words.Insert(at, words[at]);
                break;
            case 4 when at + 1 < words.Count:
                (words[at], words[at + 1]) = (words[at + 1], words[at]);
                break;
            case 5 when at < words.Count:
                words[at] = pcg.OneOf(Words.Odd) is var odd && odd == "*" && Name == "xadd" ? ClockId : odd;
                break;
        }
    }

    /// <summary>Walks through the arguments of one command.</summary>
    private sealed class Writer(Grammar command, PCG pcg, List<string> words, int repeats)
    {
        public void Write(ReplyValue? arguments)
        {
            foreach (var argument in arguments?.Items ?? [])
            {
                var flags = argument["flags"]?.Items.Select(flag => flag.Text).ToList() ?? [];
                if (flags.Contains("optional") && !pcg.Chance(2))
                {
                    continue;
                }

                var times = flags.Contains("multiple") ? repeats : 1; // the same for all, so that keys and what belongs to them are as many
                for (var i = 0; i < times; i++)
                {
                    if (argument["token"]?.Text is { } token && argument["type"]?.Text != "pure-token" && (i == 0 || flags.Contains("multiple_token")))
                    {
                        words.Add(token);
                    }

                    WriteOne(argument);
                }
            }
        }

        private void WriteOne(ReplyValue argument)
        {
            var name = argument["name"]?.Text ?? "";
            switch (argument["type"]?.Text)
            {
                case "block":
                    Write(argument["arguments"]);
                    break;
                case "oneof":
                    WriteOne(pcg, argument["arguments"]!.Items);
                    break;
                case "pure-token":
                    words.Add(argument["token"]!.Text is "*" ? ClockId : argument["token"]!.Text);
                    break;
                case "key":
                    words.Add(pcg.Chance(30) ? pcg.OneOf(Words.OddKeys) : pcg.OneOf(pcg.Chance(3) ? Words.Keys : Words.KeysOf(command.Group)));
                    break;
                case "unix-time":
                    words.Add(pcg.OneOf(Words.Moments));
                    break;
                case "pattern":
                    words.Add(pcg.OneOf(command.Name.StartsWith("pubsub", StringComparison.Ordinal) ? Words.Channels : Words.Patterns));
                    break;
                case "double":
                    words.Add(name == "timeout" ? pcg.OneOf(Words.WaitsInSeconds) : pcg.OneOf(pcg.Chance(6) ? Words.OddDoubles : Words.Doubles));
                    break;
                case "integer":
                    words.Add(Integer(name, argument["token"]?.Text));
                    break;
                default:
                    words.Add(Text(name));
                    break;
            }
        }

        private void WriteOne(PCG chance, IReadOnlyList<ReplyValue> choices)
        {
            var chosen = choices[chance.Below(choices.Count)];
            if (chosen["token"]?.Text is { } token && chosen["type"]?.Text != "pure-token")
            {
                words.Add(token);
            }

            WriteOne(chosen);
        }

        private string Integer(string name, string? token) => name switch
        {
            "timeout" when command.Name == "wait" => pcg.OneOf(Words.WaitsInMilliseconds),
            "timeout" => pcg.OneOf(Words.WaitsInSeconds),
            "milliseconds" when token == "BLOCK" => pcg.OneOf(Words.WaitsInMilliseconds),
            "seconds" or "milliseconds" => pcg.OneOf(Words.Lives),
            "min-idle-time" or "ms" => pcg.OneOf(["0", "1000000", "abc"]), // nothing is idle for so long
            "numkeys" when !pcg.Chance(6) => $"{repeats}",
            "cursor" => pcg.OneOf(["0", "0", "0", "abc", ""]), // where another one leads to is chance
            "count" when command.Name.EndsWith("scan", StringComparison.Ordinal) => "10000", // all at once: how many there are otherwise is chance
            "count" when command.Name == "spop" => "1000",
            _ => pcg.OneOf(pcg.Chance(6) ? Words.OddIntegers : Words.Integers),
        };

        private string Text(string name) => name switch
        {
            "script" => pcg.OneOf(Words.Scripts),
            "sha1" => pcg.OneOf(Words.Hashes),
            "function" or "library-name" => pcg.OneOf(Words.Functions),
            "function-code" => pcg.OneOf(Words.Libraries),
            "id" or "start" or "end" or "lastid" or "last-id" or "threshold" when command.Group == "stream" => pcg.OneOf(Words.Ids),
            "group" or "groupname" => pcg.OneOf(Words.Groups),
            "consumer" or "consumername" => pcg.OneOf(Words.Consumers),
            "min" or "max" or "start" or "stop" => pcg.OneOf(Words.Ranges),
            "channel" or "shardchannel" => pcg.OneOf(Words.Channels),
            "min-idle-time" or "ms" => pcg.OneOf(["0", "1000000", "abc"]),
            _ => pcg.Chance(12) ? pcg.OneOf(Words.Flags) : pcg.OneOf(Words.Strings),
        };
    }
}
