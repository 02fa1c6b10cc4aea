using System.Globalization;

namespace RpOrleans.Load;

/// <summary>What the load generator is told on its command line.</summary>
internal sealed record Options
{
    /// <summary>Where the servers listen, on loopback; connections are spread over them evenly.</summary>
    public IReadOnlyList<int> Ports { get; init; } = [];

    /// <summary>How requests are put.</summary>
    public Language Speaks { get; init; } = Language.Proxy;

    /// <summary>How many keys there are.</summary>
    public int Keys { get; init; } = 10_000;

    /// <summary>Bytes of a value.</summary>
    public int Bytes { get; init; } = 100;

    /// <summary>Which keys are asked for how often.</summary>
    public Pattern Pattern { get; init; } = Pattern.Uniform;

    /// <summary>Connections, each with one request at a time.</summary>
    public int Connections { get; init; } = 64;

    /// <summary>How long requests are sent.</summary>
    public double Seconds { get; init; } = 3;

    /// <summary>Requests a second, by the clock; 0: the next one as soon as one is answered.</summary>
    public double Rate { get; init; }

    /// <summary>Keys of one request; 1: a plain read.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>Share of the requests that write.</summary>
    public double Writes { get; init; }

    /// <summary>Where chance begins. A later run against the same servers has a larger one.</summary>
    public int Seed { get; init; }

    /// <summary>The processes whose CPU is counted.</summary>
    public IReadOnlyList<int> Servers { get; init; } = [];

    /// <summary>Reads the command line: pairs of a name and a value.</summary>
    /// <exception cref="FormatException">It cannot be understood.</exception>
    public static Options Parse(ReadOnlySpan<string> arguments)
    {
        var options = new Options();
        for (var i = 0; i < arguments.Length; i += 2)
        {
            var value = i + 1 < arguments.Length ? arguments[i + 1] : throw new FormatException($"{arguments[i]} needs a value.");
            options = arguments[i] switch
            {
                "--ports" => options with { Ports = Numbers(value) },
                "--speaks" => options with { Speaks = Enum.Parse<Language>(value, ignoreCase: true) },
                "--keys" => options with { Keys = Number(value) },
                "--bytes" => options with { Bytes = Number(value) },
                "--pattern" => options with { Pattern = Enum.Parse<Pattern>(value, ignoreCase: true) },
                "--connections" => options with { Connections = Number(value) },
                "--seconds" => options with { Seconds = Real(value) },
                "--rate" => options with { Rate = Real(value) },
                "--batch" => options with { Batch = Number(value) },
                "--writes" => options with { Writes = Real(value) },
                "--seed" => options with { Seed = Number(value) },
                "--servers" => options with { Servers = Numbers(value) },
                _ => throw new FormatException($"There is no option {arguments[i]}."),
            };
        }

        return options.Bytes < Values.LengthAtLeast ? throw new FormatException($"A value has {Values.LengthAtLeast} bytes at least.")
            : options.Ports.Count == 0 ? throw new FormatException("--ports is needed.")
            : options;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static double Real(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static int[] Numbers(string text) => [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Number)];
}

/// <summary>How requests are put.</summary>
internal enum Language
{
    /// <summary>As RpOrleans and the program it replaces have it: <c>GET /get/{key}</c>, <c>POST /set</c>, <c>POST /v1/keys:batchGet</c>.</summary>
    Proxy,

    /// <summary>As webdis has it: a Redis command in the path.</summary>
    Webdis,
}
