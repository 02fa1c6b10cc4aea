using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Processes;

/// <summary>The checker finds bugs: those of tests/Planted.</summary>
[CollectionDefinition(nameof(PlantedBugTests), DisableParallelization = true)]
[Collection(nameof(PlantedBugTests))]
public sealed class PlantedBugTests(PlantedBuild build, ITestOutputHelper output) : IClassFixture<PlantedBuild>
{
    public static TheoryData<string> Bugs => [.. PlantedBuild.Bugs.Keys];

    [SkippableTheory]
    [MemberData(nameof(Bugs))]
    public async Task CheckerFindsPlantedBug(string name)
    {
        RedisServer.Require();
        var bug = PlantedBuild.Bugs[name];

        var verdict = await build.FindAsync(bug);
        output.WriteLine(verdict.Said);

        Assert.Equal(1, verdict.ExitCode);
        Assert.Contains(verdict.Broken, kind => bug.Kinds.Contains(kind));
    }

    // What the bugs are found by must come of the bugs: not of this build, nor of the checker's options.
    [SkippableTheory]
    [InlineData("--mode tracking --silos 0 --seconds 9 --schedule LinkDelayed connections=data; LinkBlackHoleFromRedis connections=invalidation lasts=2; RedisKillsNormalClients; RedisFlushed; LinkRefused")]
    [InlineData("--mode auto --silos 1 --gateways 1 --outside 1 --seconds 6 --schedule LinkRefused lasts=2; RedisFlushed; LinkDelayed connections=data")]
    [InlineData("--mode expiry --record-expiry 1 --silos 2 --seconds 7 --schedule LinkDelayed connections=data; LinkRefused; SiloAdded")]
    public async Task CheckerFindsNothingWhereNoBugIsPlanted(string options)
    {
        RedisServer.Require();

        var verdict = await build.CheckAsync("none", PlantedBug.Words(options));
        output.WriteLine(verdict.Said);

        Assert.Empty(verdict.Broken.Intersect(PlantedBuild.Bugs.Values.SelectMany(bug => bug.Kinds)));
        Assert.Contains("\nviolations ", verdict.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("ENDED BY ITSELF", verdict.Said, StringComparison.Ordinal);
        Assert.DoesNotContain("DID NOT COME BACK", verdict.Said, StringComparison.Ordinal);
    }
}
