using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Processes;

// What is released cannot contain a bug that is planted: it is put into a copy of the source, together with the switch that
// turns it on. All are put into the same copy, which is built once; a process has the one that PLANTED_BUG names.

/// <summary>A silo and a gateway that have every bug of tests/Planted, each asleep.</summary>
public sealed class PlantedBuild : IAsyncLifetime
{
    private const string Switch = """
        namespace RpOrleans.Grains;

        internal static class Planted
        {
            private static readonly string? _bug = System.Environment.GetEnvironmentVariable("PLANTED_BUG");

            public static bool Is(string name) => _bug == name;
        }
        """;

    /// <summary>Nothing expires early, or is read again before: that hides bugs. And nothing is compiled a second time, a minute after it was called often: no run lives so long.</summary>
    private const string Plain = "EXPIRY_JITTER=0,REFRESH_AHEAD=1,DOTNET_TC_CallCountingDelayMs=EA60";

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5);
    private static readonly string _root = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Parent!.Parent!.Parent!.FullName; // of tests/bin/Release/net10.0

    private const int AtOnce = 2;

    private readonly Dictionary<string, Task<CheckerVerdict>> _found = [];
    private readonly DirectoryInfo _copy = Directory.CreateTempSubdirectory("planted-");
    private readonly Lazy<Task> _built;

    public PlantedBuild() => _built = new Lazy<Task>(BuildAsync);

    /// <summary>The bugs, by name.</summary>
    internal static Dictionary<string, PlantedBug> Bugs { get; } = Directory.GetFiles(Path.Combine(_root, "tests", "Planted"), "*.bug")
        .Order(StringComparer.Ordinal).Select(PlantedBug.Read).ToDictionary(bug => bug.Name);

    /// <summary>Has the checker look for a bug; and, so that none waits while another starts its processes, for some that are not asked for yet.</summary>
    internal Task<CheckerVerdict> FindAsync(PlantedBug bug)
    {
        lock (_found)
        {
            var found = Find(bug);
            while (_found.Values.Count(other => !other.IsCompleted) < AtOnce && Bugs.Values.FirstOrDefault(other => !_found.ContainsKey(other.Name)) is { } next)
            {
                Find(next);
            }

            return found;
        }

        Task<CheckerVerdict> Find(PlantedBug bug) => _found.TryGetValue(bug.Name, out var begun) ? begun
            : _found[bug.Name] = Task.Run(() => CheckAsync(bug.Name, [.. bug.Options, "--until", string.Join(',', bug.Kinds)]));
    }

    /// <summary>Has the checker judge these programs.</summary>
    /// <param name="bug">The bug that is awake; a name that none has for none.</param>
    /// <param name="options">Options of the checker.</param>
    internal async Task<CheckerVerdict> CheckAsync(string bug, string[] options)
    {
        await _built.Value;
        return await CheckerProgram.RunAsync(
            TimeSpan.FromMinutes(2), [.. options, "--warming", "0.5", "--set", $"PLANTED_BUG={bug},{Plain}", "--silo", Program("Silo"), "--gateway", Program("Gateway")]);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await ((Task)Task.WhenAll(_found.Values)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // where only some were asked for, more were begun
        _copy.Delete(recursive: true);
    }

    private async Task BuildAsync()
    {
        CopySource();
        foreach (var bug in Bugs.Values)
        {
            bug.ApplyTo(_copy.FullName);
        }

        await File.WriteAllTextAsync(Path.Combine(_copy.FullName, "src", "Grains", "Planted.cs"), Switch);
        await BuildAsync("Gateway");
        await BuildAsync("Silo");
    }

    private void CopySource()
    {
        foreach (var file in Directory.GetFiles(_root, "Directory.*.props").Concat(Directory.GetFiles(Path.Combine(_root, "src"), "*", SearchOption.AllDirectories)))
        {
            var path = Path.GetRelativePath(_root, file);
            if (!path.Split(Path.DirectorySeparatorChar).Any(folder => folder is "bin" or "obj"))
            {
                var copy = Path.Combine(_copy.FullName, path);
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }
        }
    }

    /// <summary>Builds a program: the source itself is held to the rules, its copy need not be.</summary>
    private async Task BuildAsync(string program)
    {
        var environment = Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .Select(variable => KeyValuePair.Create((string)variable.Key, (string?)variable.Value ?? ""))
            .Where(variable => variable.Key.StartsWith("NUGET_", StringComparison.Ordinal) || variable.Key.StartsWith("DOTNET_CLI_", StringComparison.Ordinal));
        using var build = await ProcessLauncher.StartAsync(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            ["build", Path.Combine(_copy.FullName, "src", program), "-c", "Release", "-v", "quiet", "-nodeReuse:false", "-p:UseSharedCompilation=false",
                "-p:TreatWarningsAsErrors=false", "-p:EnforceCodeStyleInBuild=false", "-p:GenerateDocumentationFile=false", "-p:PublishReadyToRun=false"],
            environment);
        var (said, complained) = (build.StandardOutput.ReadToEndAsync(), build.StandardError.ReadToEndAsync());
        await build.WaitForExitAsync().WaitAsync(_patience);
        Assert.True(build.ExitCode == 0, $"{await said}\n{await complained}");
    }

    private string Program(string project) =>
        Path.Combine(_copy.FullName, "src", project, "bin", "Release", new DirectoryInfo(AppContext.BaseDirectory).Name, $"RpOrleans.{project}.dll");
}
