using System.Diagnostics;
using RpOrleans.Tests.Processes;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Containers;

[Collection(ProcessesCollection.Name)]
public sealed class ComposeTests(ITestOutputHelper output)
{
    [SkippableFact]
    public async Task ContainersScaleUpAndDownUnderReadsWithoutAFailure()
    {
        var engine = await RunAsync("docker", "info");
        var missing = "the Docker engine and compose (Debian: docker.io, docker-compose)";
        if (Environment.GetEnvironmentVariable("RPORLEANS_REQUIRE_ALL") == "1")
        {
            Assert.True(engine.Succeeded, $"This test needs {missing}.");
        }

        Skip.IfNot(engine.Succeeded, $"Needs {missing}.");

        var run = await RunAsync(Path.Combine(Root(), "tests", "compose", "run"));
        output.WriteLine(run.Output);

        Assert.True(run.Succeeded, run.Output);
        Assert.Matches(@"(?m)^\d+ passed, 0 failed$", run.Output);
    }

    /// <summary>The checkout that this was built from.</summary>
    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "RpOrleans.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run from within a checkout.");
        }

        return folder.FullName;
    }

    private static async Task<(bool Succeeded, string Output)> RunAsync(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var texts = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await process.WaitForExitAsync();
            return (process.ExitCode == 0, string.Concat(texts));
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (false, $"{program} is not installed.");
        }
    }
}
