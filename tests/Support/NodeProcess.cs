using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace RpOrleans.Tests.Support;

/// <summary>A gateway or a silo as a process of its own: to be signalled, killed, asked for its health, and started again in its place.</summary>
internal sealed class NodeProcess : IAsyncDisposable
{
    private const int Kill = 9;
    private const int Terminate = 15;
    private static readonly int _stop = OperatingSystem.IsMacOS() ? 17 : 19;
    private static readonly int _continue = OperatingSystem.IsMacOS() ? 19 : 18;

    private static readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(2) };

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _unread = [];
    private readonly ConcurrentQueue<string> _all = [];

    private NodeProcess(string program, string file, Dictionary<string, string> settings, Process process)
    {
        (Program, File, Settings, _process) = (program, file, settings, process);
        Pid = process.Id;

        // Threads of their own: asynchronous reads of a pipe would hold threads of the pool, and those who measure would wait for them.
        foreach (var stream in new[] { process.StandardOutput, process.StandardError })
        {
            new Thread(() => Listen(stream)) { IsBackground = true }.Start();
        }
    }

    public string Program { get; }

    /// <summary>What is run.</summary>
    public string File { get; }

    /// <summary>Its environment variables, ports included.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; }

    public int Pid { get; }

    /// <summary>Where a gateway is read from.</summary>
    public int Port => int.Parse(Settings["SERVER_PORT"], CultureInfo.InvariantCulture);

    public bool HasEnded => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>All that it has printed.</summary>
    public string Output => string.Join('\n', _all);

    /// <param name="settings">Its environment variables; ports that are missing are found.</param>
    /// <param name="file">The program's dll; by default the one that is built with the tests.</param>
    public static Task<NodeProcess> StartSiloAsync(IEnumerable<KeyValuePair<string, string>> settings, string? file = null) =>
        StartAsync("RpOrleans.Silo", file, settings, "ADMIN_PORT", "SILO_PORT", "SILO_GATEWAY_PORT");

    /// <inheritdoc cref="StartSiloAsync"/>
    public static Task<NodeProcess> StartGatewayAsync(IEnumerable<KeyValuePair<string, string>> settings, string? file = null) =>
        StartAsync("RpOrleans.Gateway", file, settings, "ADMIN_PORT", "SERVER_PORT", "RESP_PORT");

    /// <summary>Starts the same again, after it has ended, on the same ports.</summary>
    public Task<NodeProcess> StartAgainAsync() => StartAsync(Program, File, Settings);

    /// <summary>Asks the admin port.</summary>
    /// <returns>The status, 0 when nobody answers, and the body.</returns>
    public async Task<(int Status, string Body)> AdminAsync(string path)
    {
        try
        {
            using var answer = await _http.GetAsync($"http://127.0.0.1:{Settings["ADMIN_PORT"]}{path}");
            return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return (0, failure.Message);
        }
    }

    public async Task<bool> IsReadyAsync() => (await AdminAsync("/readyz")).Status == 200;

    /// <summary>The figures of the nodes that it reaches.</summary>
    public async Task<IReadOnlyList<JsonElement>> NodesAsync()
    {
        var (status, body) = await AdminAsync("/stats");
        return status != 200
            ? []
            : [.. JsonDocument.Parse(body).RootElement.GetProperty("nodes").EnumerateArray().Where(node => !node.TryGetProperty("unreachable", out _))];
    }

    /// <summary>Waits until it is ready.</summary>
    public Task<TimeSpan> ReadyAsync(TimeSpan within) => Eventually.TrueAsync(
        async () => HasEnded ? throw new InvalidOperationException($"{Program} ended with {ExitCode}:\n{Output}") : await IsReadyAsync(),
        within,
        $"{Program} is ready");

    /// <summary>Tells it to end.</summary>
    public void Term() => Signal(Terminate);

    /// <summary>Hangs it.</summary>
    public void Pause() => Signal(_stop);

    /// <summary>Wakes it.</summary>
    public void Resume() => Signal(_continue);

    /// <summary>Ends it at once, without waiting until it has.</summary>
    public void KillNow() => Signal(Kill);

    /// <summary>Ends it at once.</summary>
    public async Task KillAsync()
    {
        if (!HasEnded)
        {
            KillNow();
        }

        await _process.WaitForExitAsync();
    }

    /// <summary>Waits until it has ended.</summary>
    public async Task<bool> EndsWithinAsync(TimeSpan atMost)
    {
        using var patience = new CancellationTokenSource(atMost);
        await _process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return HasEnded;
    }

    /// <summary>What it has printed since it was last asked, and how it stands.</summary>
    public string TakeReport()
    {
        var lines = new List<string>();
        while (_unread.TryDequeue(out var line))
        {
            lines.Add(line);
        }

        var state = HasEnded ? $"ended with {ExitCode}" : "running";
        return string.Join('\n', lines.TakeLast(60).Select(line => $"    {line}").Prepend($"{Program} {Pid}, {state}:"));
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }

    private static async Task<NodeProcess> StartAsync(string program, string? file, IEnumerable<KeyValuePair<string, string>> given, params string[] ports)
    {
        var settings = new Dictionary<string, string>(given);
        foreach (var port in ports)
        {
            settings.TryAdd(port, FreePort.Next().ToString(CultureInfo.InvariantCulture));
        }

        var host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        file ??= Locate(program);
        return new NodeProcess(program, file, settings, await ProcessLauncher.StartAsync(host, [file], settings));
    }

    /// <summary>Finds a program where its own project builds it, compiled ahead of time.</summary>
    /// <exception cref="FileNotFoundException">It is not built.</exception>
    internal static string Locate(string program)
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        for (var folder = here; folder is not null; folder = folder.Parent)
        {
            var built = Path.Combine(folder.FullName, "src", program["RpOrleans.".Length..], "bin", here.Parent!.Name, here.Name, $"{program}.dll"); // Release/net10.0
            if (System.IO.File.Exists(built))
            {
                return built;
            }
        }

        throw new FileNotFoundException($"{program}.dll is not built.");
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int SendSignal(int pid, int signal);

    private void Signal(int signal)
    {
        // As long as it has not been waited for, its id belongs to nobody else.
        if (!HasEnded && SendSignal(Pid, signal) != 0)
        {
            throw new InvalidOperationException($"Signal {signal} to {Program}: error {Marshal.GetLastPInvokeError()}.");
        }
    }

    private void Listen(StreamReader stream)
    {
        try
        {
            while (stream.ReadLine() is { } line)
            {
                _unread.Enqueue(line);
                _all.Enqueue(line);
            }
        }
        catch (Exception ended) when (ended is IOException or ObjectDisposedException)
        {
            // It is disposed of.
        }
    }
}
