namespace RpOrleans.Coherence;

/// <summary>Something that is measured on a cluster of its own.</summary>
/// <param name="Name">By which it is chosen on the command line.</param>
/// <param name="Settings">What its silos and gateways are told beside where to find each other.</param>
/// <param name="RunAsync">Does it.</param>
internal sealed record Measurement(
    string Name, Func<Options, Dictionary<string, string>> Settings, Func<Cluster, Options, Task<IReadOnlyList<Row>>> RunAsync);
