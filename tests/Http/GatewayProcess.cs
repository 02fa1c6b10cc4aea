using System.Collections.Concurrent;
using System.Diagnostics;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>The program itself, <c>dotnet RpOrleans.Gateway.dll</c>, as its users start it.</summary>
internal sealed class GatewayProcess : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = [];

    private GatewayProcess(Process process) => _process = process;

    /// <summary>Everything that it has written so far.</summary>
    public string Output => string.Join('\n', _lines);

    /// <summary>Starts it.</summary>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="settings">Its environment variables, beyond those of the tests.</param>
    public static GatewayProcess Start(string[] arguments, params (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(NodeProcess.Locate("RpOrleans.Gateway"));
        Array.ForEach(arguments, start.ArgumentList.Add);
        foreach (var name in new[] { "SERVER_PORT", "SEVER_PORT", "REDIS_HOST", "REDIS_PORT", "CLUSTERING", "HOST_NAME" })
        {
            start.Environment.Remove(name);
        }

        start.Environment["RESP_PORT"] = "0";
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        var process = new Process { StartInfo = start };
        var gateway = new GatewayProcess(process);
        process.OutputDataReceived += (_, line) => gateway.Note(line.Data);
        process.ErrorDataReceived += (_, line) => gateway.Note(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return gateway;
    }

    /// <summary>Runs it to its end.</summary>
    /// <returns>Its exit code, and what it wrote.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(string[] arguments, params (string Name, string Value)[] settings)
    {
        await using var gateway = Start(arguments, settings);
        return (await gateway.EndsAsync(), gateway.Output);
    }

    /// <summary>Waits until it has written something.</summary>
    public async Task SaysAsync(string text)
    {
        var waited = Stopwatch.StartNew();
        while (!Output.Contains(text, StringComparison.Ordinal))
        {
            Assert.True(waited.Elapsed < _patience && !_process.HasExited, $"It did not say “{text}”, but:\n{Output}");
            await Task.Delay(20);
        }
    }

    /// <summary>Tells it to stop (SIGTERM).</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
        return await EndsAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<int> EndsAsync()
    {
        using var patience = new CancellationTokenSource(_patience);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    private void Note(string? line)
    {
        if (line is not null)
        {
            _lines.Enqueue(line);
        }
    }
}
