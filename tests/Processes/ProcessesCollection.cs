using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Processes;

/// <summary>Tests with real processes have the machine to themselves: they measure time.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProcessesCollection : ICollectionFixture<ClusterFixture>
{
    public const string Name = "Processes";
}
