using System.Globalization;
using RpOrleans.Checker.Judging;

namespace RpOrleans.Checker;

/// <summary>What a run is told on its command line.</summary>
internal sealed record Options
{
    public const string Usage = """
        --seconds 60           how long faults go on
        --until RULE,…         goes on for as long again, ten times in all at most, until one of these promises is broken
        --seed 7               what every decision follows from
        --silos 3 --gateways 2 how many processes; --silos 0: one, which is node and gateway
        --mode auto            tracking, auto or expiry: COHERENCE of the processes; none: left out, for those that do not know it
        --record-expiry S      RECORD_EXPIRY of the processes; 10 with tracking and auto, else 1
        --coherence-bound S    the bound that is judged for writes at Redis, and COHERENCE_BOUND of the processes where they
                               know it; 0.5 with tracking and auto, else RECORD_EXPIRY
        --faults on            or off, or the kinds that are made, as SiloAdded,SiloKilled
        --schedule FAULTS      these instead, in turn and again: KIND node=0 connections=all lasts=1 pace=0.05 calm=1; KIND …
                               where node is a silo or, for links, all or (behind the silos) a gateway or (behind those, with
                               --node-links) the way of all gateways to a silo, connections data or invalidation, and nothing
                               goes wrong for calm before; ClockJumps node=all jump=-3600, which needs libfaketime
        --node-links off       or on: the ways of gateways to silos fail too; only in a network of the run's own, for which it
                               is started by: unshare -n sh -c 'ip link set lo up && exec "$0" "$@"' dotnet …
        --warming 5            how long everything runs before the first fault, and may be late
        --readers 6 --writers 3 --keys 60
        --outside 0.4          the share of writes that go to Redis directly
        --resp 0.5             the share of the rest, and of reads, that are sent in the Redis protocol, not over HTTP
        --set NAME=VALUE,…     more settings of the processes
        --silo PATH --gateway PATH   other dlls than those that are built here
        """;

    public TimeSpan Length { get; private init; } = TimeSpan.FromSeconds(60);

    /// <summary>Which broken promises end the run before its time; where there are none it takes its time once.</summary>
    public Rule[] Until { get; private init; } = [];

    /// <summary>How many times its length the run takes at most.</summary>
    public int Legs => Until.Length == 0 ? 1 : 10;

    public int Seed { get; private init; } = 7;

    public int Silos { get; private init; } = 3;

    public int Gateways { get; private init; } = 2;

    /// <summary>Whether there is one process alone, which is node and gateway.</summary>
    public bool OneProcess => Silos == 0;

    public Mode Mode { get; private init; }

    public TimeSpan RecordExpiry { get; private init; }

    public TimeSpan OutsideBound { get; private init; }

    /// <summary>What goes wrong: nothing, where there is none.</summary>
    public FaultKind[] Faults { get; private init; } = [.. Enum.GetValues<FaultKind>().Where(kind => kind != FaultKind.ClockJumps || WallClock.IsPossible)];

    /// <summary>Whether the processes go by clocks of their own.</summary>
    public bool OwnClocks => Given?.Any(fault => fault.OfClock) ?? Faults.Contains(FaultKind.ClockJumps);

    /// <summary>Whether the ways of gateways to silos may fail.</summary>
    public bool NodeLinks { get; private init; }

    /// <summary>What goes wrong in turn, where that is told; else it follows from the seed.</summary>
    public PlannedFault[]? Given { get; private init; }

    /// <summary>Processes that have just started compile what they run: they are given so much longer to answer.</summary>
    public TimeSpan Warming { get; init; } = TimeSpan.FromSeconds(5);

    public int Readers { get; private init; } = 6;

    public int Writers { get; private init; } = 3;

    public int Keys { get; private init; } = 60;

    /// <summary>The share of writes that go to Redis directly, and not through a gateway.</summary>
    public double Outside { get; private init; } = 0.4;

    /// <summary>The share of what goes through gateways that is sent in the Redis protocol.</summary>
    public double Resp { get; private init; } = 0.5;

    /// <summary>Environment variables of the processes, beside those that follow from the other options.</summary>
    public Dictionary<string, string> Settings { get; private init; } = [];

    public string? Silo { get; private init; }

    public string? Gateway { get; private init; }

    /// <summary>Whether the processes hear of changes from Redis.</summary>
    public bool Tracks => Mode is Mode.Auto or Mode.Tracking;

    /// <summary><c>COHERENCE_BOUND</c>; its default where it is not what is judged.</summary>
    public TimeSpan CoherenceBound => Tracks ? OutsideBound : TimeSpan.FromSeconds(0.5);

    /// <summary>The faults of the run, without an end.</summary>
    public IEnumerable<PlannedFault> Schedule => Given is { } given ? Enumerable.Repeat(given, int.MaxValue).SelectMany(faults => faults) : Checker.Schedule.Of(Seed, Silos, Gateways, NodeLinks ? Silos : 0, Faults);

    public Rules Rules => Rules.For(Mode, OutsideBound, CoherenceBound, RecordExpiry);

    private bool IsNowhere(PlannedFault fault) =>
        fault.OfLink ? fault.Node >= Silos + Gateways + (NodeLinks ? Silos : 0)
        : fault.OfClock ? fault.Node >= Silos + Gateways
        : (fault.OfSilo || fault.OfGateway) && (fault.Node < 0 || fault.Node >= (fault.OfSilo ? Silos : Gateways));

    /// <summary>Reads the command line.</summary>
    /// <exception cref="FormatException">It cannot be understood.</exception>
    public static Options Parse(string[] arguments)
    {
        var given = new Dictionary<string, string>();
        for (var i = 0; i < arguments.Length; i += 2)
        {
            if (!arguments[i].StartsWith("--", StringComparison.Ordinal) || i + 1 == arguments.Length || !given.TryAdd(arguments[i][2..], arguments[i + 1]))
            {
                throw new FormatException($"{arguments[i]} is not an option with a value, or is given twice.");
            }
        }

        var defaults = new Options();
        var mode = Take("mode") is { } name
            ? Enum.TryParse<Mode>(name, ignoreCase: true, out var known) ? known : throw new FormatException($"There is no mode {name}.")
            : Mode.Auto;
        var tracks = mode is Mode.Auto or Mode.Tracking;
        var silos = Number("silos", defaults.Silos);
        var recordExpiry = Seconds("record-expiry", TimeSpan.FromSeconds(tracks ? 10 : 1));
        var options = new Options
        {
            Length = Seconds("seconds", defaults.Length),
            Seed = Number("seed", defaults.Seed),
            Silos = silos,
            Gateways = Number("gateways", silos == 0 ? 1 : defaults.Gateways),
            Mode = mode,
            RecordExpiry = recordExpiry,
            OutsideBound = Seconds("coherence-bound", tracks ? TimeSpan.FromSeconds(0.5) : recordExpiry),
            Until = Take("until") is { } rules ? Names<Rule>(rules) : [],
            Faults = Take("faults") switch
            {
                null or "on" => defaults.Faults,
                "off" => [],
                var kinds => Names<FaultKind>(kinds),
            },
            NodeLinks = Take("node-links") switch
            {
                null or "off" => false,
                "on" when Detour.IsPossible => true,
                "on" => throw new FormatException("--node-links on needs a network with nothing but loopback."),
                var other => throw new FormatException($"--node-links is on or off, not {other}."),
            },
            Given = Take("schedule") is { } told ? GivenSchedule.Parse(told) : null,
            Warming = Seconds("warming", defaults.Warming),
            Outside = Fraction("outside", defaults.Outside),
            Resp = Fraction("resp", defaults.Resp),
            Settings = (Take("set") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(setting => setting.Split('=', 2)).ToDictionary(
                parts => parts[0],
                parts => parts.Length == 2 ? parts[1] : throw new FormatException($"{parts[0]} is set to nothing.")),
            Readers = Number("readers", defaults.Readers),
            Writers = Number("writers", defaults.Writers),
            Keys = Number("keys", defaults.Keys),
            Silo = Take("silo"),
            Gateway = Take("gateway"),
        };
        if (options.OneProcess)
        {
            if (options.Gateways != 1)
            {
                throw new FormatException("--silos 0 is one process: --gateways 1.");
            }

            options = options with { Faults = [.. options.Faults.Where(kind => kind < FaultKind.SiloKilled)] };
        }

        if (options.Given?.FirstOrDefault(options.IsNowhere) is { } nowhere)
        {
            throw new FormatException($"{nowhere.Kind} is for one of the silos, or of the gateways, from 0; of a link, for a silo's, or a gateway's behind them, or behind those for the way to a silo.");
        }

        if (options.OwnClocks && !WallClock.IsPossible)
        {
            throw new FormatException("ClockJumps needs libfaketime (Debian: faketime).");
        }

        return given.Count == 0 ? options : throw new FormatException($"There is no option --{given.Keys.First()}.");

        string? Take(string option) => given.Remove(option, out var value) ? value : null;

        int Number(string option, int otherwise) =>
            Take(option) is not { } text ? otherwise
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw new FormatException($"--{option} {text} is not a number.");

        TName[] Names<TName>(string names) where TName : struct, Enum =>
            [.. names.Split(',').Select(name => Enum.TryParse<TName>(name, ignoreCase: true, out var known) ? known : throw new FormatException($"There is no {typeof(TName).Name} {name}."))];

        TimeSpan Seconds(string option, TimeSpan otherwise) => TimeSpan.FromSeconds(Fraction(option, otherwise.TotalSeconds));

        double Fraction(string option, double otherwise) =>
            Take(option) is not { } text ? otherwise
            : double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number
            : throw new FormatException($"--{option} {text} is not a number, with a point or without.");
    }
}
