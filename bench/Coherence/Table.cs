namespace RpOrleans.Coherence;

/// <summary>The result as Markdown.</summary>
internal static class Table
{
    public const string Head = """
        | what | target | measured | met | processors: servers / load generator / others, % |
        |---|---|---|---|---|
        """;

    /// <summary>One line.</summary>
    public static string Line(Row row, Shares processors) => $"| {row.What} | {row.Target} | {row.Measured} | {(row.Met ? "yes" : "**no**")} | {processors} |";
}
