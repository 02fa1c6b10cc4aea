namespace RpOrleans.Tests.Processes;

// A file in tests/Planted, whose name is the bug's:
//
//     # What is wrong, in a sentence.
//     run: options of the checker, the schedule last
//     finds: the kinds of broken promises, one of which is found at least
//     --- the file
//     < what stands there, once
//     > what stands there instead, where BUG is true when the bug is wanted
//
// and so on from "---".

/// <summary>One bug that can be put into a copy of the source.</summary>
internal sealed record PlantedBug(string Name, string[] Options, string[] Kinds, PlantedBug.Edit[] Edits)
{
    private const string Schedule = "--schedule ";

    /// <summary>One place of the source.</summary>
    internal sealed record Edit(string File, string Found, string Instead);

    public static PlantedBug Read(string file)
    {
        var name = Path.GetFileNameWithoutExtension(file);
        var parts = File.ReadAllText(file).Split("\n--- ");
        var head = parts[0].Split('\n');
        return new PlantedBug(
            name,
            Words(After(head, "run: ").Single()),
            After(head, "finds: ").Single().Split(' '),
            [.. parts[1..].Select(part => part.Split('\n')).Select(lines => new Edit(
                lines[0],
                string.Join('\n', After(lines, "< ")),
                string.Join('\n', After(lines, "> ")).Replace("BUG", $"global::RpOrleans.Grains.Planted.Is(\"{name}\")", StringComparison.Ordinal)))]);
    }

    /// <summary>Puts it into a copy of the source.</summary>
    /// <exception cref="InvalidDataException">It does not fit the source any more.</exception>
    public void ApplyTo(string folder)
    {
        foreach (var edit in Edits)
        {
            var file = Path.Combine(folder, edit.File);
            var pieces = File.Exists(file) ? File.ReadAllText(file).Split(edit.Found) : [];
            if (pieces.Length != 2)
            {
                throw new InvalidDataException($"tests/Planted/{Name}.bug: {edit.File} does not have exactly once: {edit.Found}");
            }

            File.WriteAllText(file, string.Join(edit.Instead, pieces));
        }
    }

    /// <summary>Puts the options on a command line: a schedule has spaces.</summary>
    public static string[] Words(string options)
    {
        var parts = options.Split(Schedule, 2);
        var words = parts[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return parts.Length == 1 ? words : [.. words, Schedule.Trim(), parts[1]];
    }

    private static IEnumerable<string> After(IEnumerable<string> lines, string mark) =>
        lines.Where(line => line.StartsWith(mark, StringComparison.Ordinal)).Select(line => line[mark.Length..]);
}
