using System.Diagnostics;
using System.Globalization;
using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Clients;

/// <summary>A script of this folder, which uses a gateway by a client of its own.</summary>
/// <param name="program">What runs it.</param>
/// <param name="file">Its name.</param>
internal sealed class ClientScript(string program, string file)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(90);
    private static readonly string _folder =
        Path.Combine(new DirectoryInfo(AppContext.BaseDirectory).Parent!.Parent!.Parent!.FullName, "Clients"); // beside tests/bin/Release/net10.0

    private readonly List<string> _said = [];

    /// <summary>Ends a test where a client is missing: skipped, or failed if <c>RPORLEANS_REQUIRE_ALL=1</c>.</summary>
    /// <param name="what">What is missing, if it is.</param>
    /// <param name="programs">What may have it.</param>
    /// <param name="probe">Arguments with which a program succeeds that has it.</param>
    /// <returns>The first program that has it.</returns>
    public static string Require(string what, string[] programs, params string[] probe)
    {
        var found = programs.FirstOrDefault(program => Succeeds(program, probe));
        Assert.False(found is null && Environment.GetEnvironmentVariable("RPORLEANS_REQUIRE_ALL") == "1", what);
        Skip.If(found is null, what);
        return found!;
    }

    /// <summary>Runs it in front of a Redis of its own, and kills the gateway and starts it again when it says so.</summary>
    /// <returns>What it said.</returns>
    public async Task<string> RunAsync()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var first = await AllInOne.StartAsync(redis.Port);
        var gateway = first.Process;
        await gateway.ReadyAsync(ClusterFixture.StartPatience);
        using var script = Start(program, [Path.Combine(_folder, file), gateway.Settings["RESP_PORT"]]);
        using var patience = new CancellationTokenSource(_patience);
        try
        {
            var errors = script.StandardError.ReadToEndAsync(patience.Token);
            while (await script.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            {
                _said.Add(line);
                if (line == "now")
                {
                    await gateway.KillAsync();
                    gateway = await gateway.StartAgainAsync();
                    await gateway.ReadyAsync(ClusterFixture.StartPatience);
                    await script.StandardInput.WriteLineAsync("It is there again.");
                    await script.StandardInput.FlushAsync(patience.Token);
                }
            }

            await script.WaitForExitAsync(patience.Token);
            _said.Add(await errors);
            Assert.True(script.ExitCode == 0, Report(gateway, $"ended with {script.ExitCode.ToString(CultureInfo.InvariantCulture)}"));
            return string.Join('\n', _said);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail(Report(gateway, $"was not done after {_patience.TotalSeconds} s"));
            throw;
        }
        finally
        {
            script.Kill(entireProcessTree: true);
            if (gateway != first.Process)
            {
                await gateway.DisposeAsync();
            }
        }
    }

    private static bool Succeeds(string program, string[] arguments)
    {
        try
        {
            using var probe = Start(program, arguments);
            return probe.WaitForExit(_patience) && probe.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false; // there is no such program
        }
    }

    private static Process Start(string program, string[] arguments) => Process.Start(
        new ProcessStartInfo(program, arguments) { WorkingDirectory = _folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;

    private string Report(NodeProcess gateway, string what) => $"{file} {what}:\n{string.Join('\n', _said)}\n{gateway.TakeReport()}";
}
