using System.Globalization;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Processes;

/// <summary>The checker, as it is run by hand, for <c>CHECKER_SECONDS</c> (60) with <c>CHECKER_SEED</c> (7).</summary>
[Collection(ProcessesCollection.Name)]
public sealed class CheckerTests(ITestOutputHelper output)
{
    [SkippableFact]
    public async Task CheckerFindsNoBrokenPromise()
    {
        RedisServer.Require();
        var seconds = Environment.GetEnvironmentVariable("CHECKER_SECONDS") ?? "60";
        var seed = Environment.GetEnvironmentVariable("CHECKER_SEED") ?? "7";

        var verdict = await CheckerProgram.RunAsync(TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture)), ["--seconds", seconds, "--seed", seed]);
        output.WriteLine(verdict.Said);

        Assert.Equal(0, verdict.ExitCode);
    }

    // Set back by an hour, silos did not read the membership table for an hour, and turned away whoever came back meanwhile.
    [SkippableFact]
    public async Task SiloThatIsKilledComesBackThoughAllClocksWereSetBack()
    {
        RedisServer.Require();
        const string Schedule = "ClockJumps node=all jump=-3600 lasts=0.1 calm=3; SiloKilled node=0 lasts=0.3 calm=3; SiloKilled node=1 lasts=0.3 calm=3";

        var verdict = await CheckerProgram.RunAsync(TimeSpan.FromSeconds(15), ["--seconds", "15", "--seed", "5", "--schedule", Schedule]);
        output.WriteLine(verdict.Said);

        Assert.Equal(0, verdict.ExitCode);
        Assert.Contains("ClockJumps by -3600 s", verdict.Said, StringComparison.Ordinal);
    }
}
