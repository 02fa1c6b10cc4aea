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
        var host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

        using var checker = await ProcessLauncher.StartAsync(host, [Locate(), "--seconds", seconds, "--seed", seed], []);
        try
        {
            var (said, complained) = (checker.StandardOutput.ReadToEndAsync(), checker.StandardError.ReadToEndAsync());
            var patience = TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture)) + TimeSpan.FromMinutes(4); // it starts processes, and waits for them
            await checker.WaitForExitAsync().WaitAsync(patience);
            output.WriteLine($"{await said}\n{await complained}");
        }
        finally
        {
            if (!checker.HasExited)
            {
                checker.Kill(entireProcessTree: true);
            }
        }

        Assert.Equal(0, checker.ExitCode);
    }

    /// <summary>Finds it where its own project builds it, in the configuration of these tests.</summary>
    private static string Locate()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory); // tests/bin/Release/net10.0
        return Path.Combine(here.Parent!.Parent!.Parent!.FullName, "Checker", "bin", here.Parent.Name, here.Name, "RpOrleans.Checker.dll");
    }
}
