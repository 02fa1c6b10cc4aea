namespace RpOrleans.Coherence;

/// <summary>What the benchmark is told on its command line.</summary>
/// <param name="Only">The measurements that are made, by name; all of them when none is named.</param>
/// <param name="Short">Whether it is a trial: the same with less of everything, whose figures are worth little.</param>
internal sealed record Options(IReadOnlyList<string> Only, bool Short)
{
    /// <summary>Reads the command line.</summary>
    /// <exception cref="FormatException">It cannot be understood.</exception>
    public static Options Parse(string[] arguments, IReadOnlyCollection<string> names)
    {
        var options = new Options([], false);
        for (var i = 0; i < arguments.Length; i++)
        {
            options = arguments[i] switch
            {
                "--short" => options with { Short = true },
                "--only" when i + 1 < arguments.Length => options with { Only = arguments[++i].Split(',') },
                _ => throw new FormatException($"{arguments[i]} is no option, or lacks what it needs."),
            };
        }

        return options.Only.Except(names).FirstOrDefault() is { } unknown
            ? throw new FormatException($"There is no measurement {unknown}; there are: {string.Join(", ", names)}.")
            : options;
    }

    /// <summary>How much of something there is.</summary>
    public int Take(int whole, int trial) => Short ? trial : whole;
}
