using System.Text.RegularExpressions;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Processes;

/// <summary>What a run of the checker came to.</summary>
/// <param name="ExitCode">0 when every promise was kept, 1 when not, 2 when that cannot be said.</param>
/// <param name="Said">All that it printed.</param>
internal sealed record CheckerVerdict(int ExitCode, string Said)
{
    /// <summary>The kinds of broken promises.</summary>
    public string[] Broken => [.. Regex.Match(Said, @"^violations \d+: (.+)$", RegexOptions.Multiline).Groups[1].Value
        .Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(kind => kind.Trim().Split(' ')[1])];
}

/// <summary>The checker, as it is run by hand.</summary>
internal static class CheckerProgram
{
    /// <summary>Beside what it is told to take: it starts processes, and waits for them.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(4);

    public static async Task<CheckerVerdict> RunAsync(TimeSpan length, IEnumerable<string> options)
    {
        var host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        using var checker = await ProcessLauncher.StartAsync(host, [Locate(), .. options], []);
        try
        {
            var (said, complained) = (checker.StandardOutput.ReadToEndAsync(), checker.StandardError.ReadToEndAsync());
            await checker.WaitForExitAsync().WaitAsync(length + _patience);
            return new CheckerVerdict(checker.ExitCode, $"{await said}\n{await complained}");
        }
        finally
        {
            if (!checker.HasExited)
            {
                checker.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>Finds it where its own project builds it, in the configuration of these tests.</summary>
    private static string Locate()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory); // tests/bin/Release/net10.0
        return Path.Combine(here.Parent!.Parent!.Parent!.FullName, "Checker", "bin", here.Parent.Name, here.Name, "RpOrleans.Checker.dll");
    }
}
