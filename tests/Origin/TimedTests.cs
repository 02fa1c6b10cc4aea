using Xunit;

namespace RpOrleans.Tests.Origin;

/// <summary>Tests that hold Redis to times: one after the other, and with no others at their side.</summary>
[CollectionDefinition(nameof(TimedTests), DisableParallelization = true)]
public sealed class TimedTests;
