using System.Globalization;
using RpOrleans.Tests.Support;

namespace RpOrleans.Checker;

/// <summary>Faults that are told one by one: <c>LinkDelayed connections=data pace=0.05; SiloKilled node=1</c>.</summary>
internal static class GivenSchedule
{
    /// <summary>Reads a list of faults, which are made in turn and then again.</summary>
    /// <exception cref="FormatException">It cannot be understood.</exception>
    public static PlannedFault[] Parse(string text) => [.. text.Split(';', StringSplitOptions.TrimEntries).Select(ParseOne)];

    private static PlannedFault ParseOne(string text)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var second = TimeSpan.FromSeconds(1);
        var fault = new PlannedFault(Kind(words.FirstOrDefault() ?? ""), Node: 0, ProxiedConnections.All, Lasts: second, Pace: TimeSpan.FromMilliseconds(50), Calm: second);
        foreach (var word in words[1..])
        {
            var (name, value) = word.Split('=') is [var before, var after] ? (before, after) : throw Wrong(word);
            fault = name switch
            {
                "node" => fault with { Node = value == "all" ? -1 : int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var node) ? node : throw Wrong(word) },
                "connections" => fault with { Connections = Enum.TryParse<ProxiedConnections>(value, ignoreCase: true, out var connections) ? connections : throw Wrong(word) },
                "lasts" => fault with { Lasts = Seconds(word, value) },
                "pace" => fault with { Pace = Seconds(word, value) },
                "jump" => fault with { Pace = value.StartsWith('-') ? -Seconds(word, value[1..]) : Seconds(word, value) },
                "calm" => fault with { Calm = Seconds(word, value) is { Ticks: > 0 } calm ? calm : throw Wrong(word) },
                _ => throw Wrong(word),
            };
        }

        return fault;
    }

    private static FaultKind Kind(string name) =>
        Enum.TryParse<FaultKind>(name, ignoreCase: true, out var kind) ? kind : throw new FormatException($"There is no fault {name}.");

    private static TimeSpan Seconds(string word, string value) =>
        double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) ? TimeSpan.FromSeconds(seconds) : throw Wrong(word);

    private static FormatException Wrong(string word) => new($"{word} says nothing of a fault.");
}
