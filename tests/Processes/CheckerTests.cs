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
}
