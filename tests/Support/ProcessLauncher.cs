using System.Collections.Concurrent;
using System.Diagnostics;

namespace RpOrleans.Tests.Support;

// A test run can be killed, and then runs nothing more. The kernel can end a program together with the thread that started
// it (PR_SET_PDEATHSIG), which setpriv of util-linux asks for on the way; so one thread starts them all, and lives as long as
// the run. Without setpriv the programs are ended when the run ends in an orderly way.

/// <summary>Starts programs that end with the test run.</summary>
internal static class ProcessLauncher
{
    private static readonly BlockingCollection<(ProcessStartInfo What, TaskCompletionSource<Process> Started)> _asked = [];
    private static readonly ConcurrentBag<Process> _all = [];
    private static readonly string? _setpriv = Find("setpriv");

    static ProcessLauncher()
    {
        // The test runner holds threads of the pool while it waits, and the pool grows slowly: whoever measures would wait for it.
        ThreadPool.SetMinThreads(32, 32);
        new Thread(StartAll) { IsBackground = true, Name = nameof(ProcessLauncher) }.Start();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => EndAll();
    }

    /// <summary>Starts a program.</summary>
    /// <param name="program">Its path, or its name if it is in the PATH.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">All that it sees of the environment, but for what .NET itself needs.</param>
    public static async Task<Process> StartAsync(string program, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> environment)
    {
        string[] command = _setpriv is null ? [program, .. arguments] : [_setpriv, "--pdeathsig", "KILL", program, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var inherited in start.Environment.Keys.Except(["PATH", "HOME", "TMPDIR", "DOTNET_ROOT"]).ToList())
        {
            start.Environment.Remove(inherited);
        }

        // The run starts hundreds of programs that live for seconds: a fifth of what they spend is on measuring code, to compile it better later.
        start.Environment["DOTNET_TieredPGO"] = "0";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked.Add((start, started));
        return await started.Task;
    }

    private static void StartAll()
    {
        foreach (var (what, started) in _asked.GetConsumingEnumerable())
        {
            try
            {
                var process = Process.Start(what)!;
                _all.Add(process);
                started.SetResult(process);
            }
            catch (Exception failure)
            {
                started.SetException(failure);
            }
        }
    }

    private static void EndAll()
    {
        foreach (var process in _all)
        {
            try
            {
                process.Kill();
            }
            catch (InvalidOperationException)
            {
                // It has ended, or is disposed of.
            }
        }
    }

    private static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Select(directory => Path.Combine(directory, program))
            .FirstOrDefault(File.Exists);
}
