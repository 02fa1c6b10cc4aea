using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace RpOrleans.Tests.Support;

/// <summary>A real <c>redis-server</c>, of a test's own: to be killed, paused and started again.</summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private static readonly TimeSpan _startTimeout = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly DirectoryInfo _directory;
    private readonly string? _password;
    private bool _paused;

    private RedisServer(Process process, DirectoryInfo directory, int port, string? password)
    {
        (_process, _directory, Port, _password) = (process, directory, port, password);
    }

    public int Port { get; }

    public int Pid => _process.Id;

    /// <summary>Ends a test where there is no <c>redis-server</c>: skipped, or failed if <c>RPORLEANS_REQUIRE_ALL=1</c>.</summary>
    public static void Require()
    {
        const string Missing = "redis-server is not installed (Debian package: redis-server).";
        if (Find() is not null)
        {
            return;
        }

        Assert.False(Environment.GetEnvironmentVariable("RPORLEANS_REQUIRE_ALL") == "1", Missing);
        Skip.If(true, Missing);
    }

    /// <summary>Starts one and waits until it answers, if only that it is loading or wants a password.</summary>
    /// <param name="port">Where it listens; a free port by default.</param>
    /// <param name="password">The default user's password.</param>
    /// <param name="extraArgs">Further arguments.</param>
    /// <returns>The server; dispose of it.</returns>
    public static Task<RedisServer> StartAsync(int? port = null, string? password = null, params string[] extraArgs) =>
        StartAsync(() => Launch(port ?? FreePort.Next(), password, extraArgs));

    /// <summary>Starts a sentinel that watches one master, called <c>mymaster</c>.</summary>
    /// <param name="master">The master's port.</param>
    /// <param name="quorum">How many sentinels must call it down.</param>
    /// <param name="password">The sentinel's own.</param>
    /// <param name="settings">Further lines of its configuration.</param>
    /// <returns>The sentinel; dispose of it.</returns>
    public static Task<RedisServer> StartSentinelAsync(int master, int quorum, string? password = null, params string[] settings) => StartAsync(() =>
    {
        var (port, directory) = (FreePort.Next(), Directory.CreateTempSubdirectory("sentinel-"));
        var configuration = Path.Combine(directory.FullName, "sentinel.conf");
        File.WriteAllLines(configuration,
        [
            $"port {port}", "bind 127.0.0.1", $"dir {directory.FullName}", .. settings,
            $"sentinel monitor mymaster 127.0.0.1 {master} {quorum}", "sentinel down-after-milliseconds mymaster 500", "sentinel failover-timeout mymaster 3000",
            .. password is null ? Array.Empty<string>() : [$"requirepass {password}"],
        ]);
        return Run(port, password, directory, configuration, "--sentinel");
    });

    private static async Task<RedisServer> StartAsync(Func<RedisServer> launch)
    {
        Require();
        var deadline = Stopwatch.StartNew();
        while (true)
        {
            var server = launch();
            if (await server.AnswersAsync(_startTimeout - deadline.Elapsed))
            {
                return server;
            }

            // Somebody else may have taken the port, or a server killed just now may still hold it.
            var output = server._process.HasExited ? await server._process.StandardOutput.ReadToEndAsync() : "no answer";
            await server.DisposeAsync();
            if (deadline.Elapsed > _startTimeout || !output.Contains("Address already in use", StringComparison.Ordinal))
            {
                throw new InvalidOperationException($"redis-server did not start: {output}");
            }
        }
    }

    /// <summary>Sends a command over a connection of its own and returns the reply as it came, for a simple reply one line.</summary>
    public async Task<string> CommandAsync(params string[] words)
    {
        using var client = await ConnectAsync();
        var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.Latin1);
        if (_password is not null)
        {
            await stream.WriteAsync(Encode("AUTH", _password));
            await reader.ReadLineAsync();
        }

        await stream.WriteAsync(Encode(words));
        var line = await reader.ReadLineAsync() ?? throw new EndOfStreamException();
        if (line[0] != '$' || line == "$-1")
        {
            return line;
        }

        var text = new char[int.Parse(line[1..], CultureInfo.InvariantCulture)];
        await reader.ReadBlockAsync(text);
        return new string(text);
    }

    /// <summary>Ends it at once (SIGKILL).</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
    }

    /// <summary>Hangs it (SIGSTOP): the system goes on accepting connections for it, and nothing is answered.</summary>
    public void Pause()
    {
        Signal("STOP");
        _paused = true;
    }

    /// <summary>Wakes it (SIGCONT).</summary>
    public void Resume()
    {
        Signal("CONT");
        _paused = false;
    }

    /// <summary>Tells it to end (SIGTERM), and ends it if it does not.</summary>
    public async Task StopAsync()
    {
        if (_process.HasExited)
        {
            return;
        }

        if (_paused)
        {
            Resume();
        }

        Signal("TERM");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        await _process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await KillAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
        _directory.Delete(recursive: true);
    }

    private static string? Find() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Append("/usr/bin")
            .Select(directory => Path.Combine(directory, "redis-server"))
            .FirstOrDefault(File.Exists);

    private static RedisServer Launch(int port, string? password, string[] extraArgs)
    {
        var directory = Directory.CreateTempSubdirectory("redis-");
        return Run(port, password, directory,
        [
            "--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", directory.FullName,
            "--save", "", "--appendonly", "no", "--enable-debug-command", "local", "--loglevel", "warning",
            "--repl-diskless-sync-delay", "0", // else it waits five seconds for further replicas
            .. password is null ? Array.Empty<string>() : ["--requirepass", password],
            .. extraArgs,
        ]);
    }

    private static RedisServer Run(int port, string? password, DirectoryInfo directory, params string[] arguments)
    {
        var start = new ProcessStartInfo(Find()!)
        {
            WorkingDirectory = directory.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return new RedisServer(Process.Start(start)!, directory, port, password);
    }

    private static byte[] Encode(params string[] words) =>
        Encoding.Latin1.GetBytes($"*{words.Length}\r\n" + string.Concat(words.Select(word => $"${word.Length}\r\n{word}\r\n")));

    private async Task<bool> AnswersAsync(TimeSpan within)
    {
        var waited = Stopwatch.StartNew();
        while (waited.Elapsed < within && !_process.HasExited)
        {
            try
            {
                using var client = await ConnectAsync();
                client.ReceiveTimeout = 1_000;
                var stream = client.GetStream();
                await stream.WriteAsync(Encode("PING"));
                using var reader = new StreamReader(stream, Encoding.Latin1);

                // Another process that listens here would answer too: it is ours only if ours is still there.
                if (await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(1)) is not null && !_process.HasExited)
                {
                    return true;
                }
            }
            catch (Exception failure) when (failure is SocketException or IOException or TimeoutException)
            {
                await Task.Delay(5);
            }
        }

        return false;
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient { NoDelay = true };
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, Port);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", Pid.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }
}
