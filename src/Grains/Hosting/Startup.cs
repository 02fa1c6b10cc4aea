using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Grains.Hosting;

/// <summary>What the programs do alike when they start.</summary>
internal static class Startup
{
    private static readonly TimeSpan _stopAtMost = TimeSpan.FromSeconds(20);

    /// <summary>Prints everything that is wrong with the settings.</summary>
    /// <returns>The exit code.</returns>
    public static int Report(OptionsValidationException wrong)
    {
        Console.Error.WriteLine("The settings cannot be used:");
        foreach (var problem in wrong.Failures)
        {
            Console.Error.WriteLine($"  {problem}");
        }

        return 1;
    }

    /// <summary>
    /// Socket completions run where they arrive instead of on another thread: nothing on the way of a read blocks
    /// (docs/benchmarks.md). To be called before the first socket is made, when the runtime reads it.
    /// </summary>
    public static void PreferInlineSocketCompletions()
    {
        const string variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable)))
        {
            Environment.SetEnvironmentVariable(variable, "1");
        }
    }

    /// <summary>
    /// Runs until the process is told to stop, which may be before it has started, and then ends in time whatever hangs: a silo
    /// that cannot write to the membership Redis tries to for minutes, while whoever stops it waits for half of one.
    /// </summary>
    /// <param name="host">What runs.</param>
    /// <param name="started">Called when it has started.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunUntilStoppedAsync(this IHost host, Action started)
    {
        var running = false;
        var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        try
        {
            await host.StartAsync();
            running = true;
            started();
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            // What had started is stopped below, as it would be later.
        }

        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var _ = stopping.Register(told.SetResult);
        var stopped = stopping.IsCancellationRequested ? host.StopAsync() : host.WaitForShutdownAsync();
        await Task.WhenAny(told.Task, stopped);
        if (await Task.WhenAny(stopped, Task.Delay(_stopAtMost)) == stopped && running)
        {
            await stopped; // a silo that has not started refuses to be stopped, which says nothing to anybody
        }

        return Environment.ExitCode;
    }

    /// <summary>One line an event, keys and values never; the framework's own chatter only when asked for.</summary>
    public static void LogToConsole(this ILoggingBuilder logging, LogLevel level)
    {
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.ColorBehavior = LoggerColorBehavior.Disabled;
            console.TimestampFormat = "HH:mm:ss.fff ";
        });
        logging.SetMinimumLevel(level);
        // These name the request's target, and so the key.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None); // and would begin an activity for each request
        logging.AddFilter("Microsoft.AspNetCore.Hosting", LogLevel.Warning);
        logging.AddFilter("Microsoft.AspNetCore.Routing", LogLevel.Warning);
        logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel.BadRequests", LogLevel.Warning);
        // What ails is logged where it is found out, once, not whenever somebody asks for it.
        logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        if (level > LogLevel.Debug)
        {
            logging.AddFilter("Microsoft", LogLevel.Warning);
            logging.AddFilter("Orleans", LogLevel.Error);
            // A node that is lost fails calls in many places of the runtime; that it is lost is logged once, by us.
            logging.AddFilter("Orleans.Messaging", LogLevel.None);
            logging.AddFilter("Orleans.Runtime.GrainCallCancellationManager", LogLevel.None);
            logging.AddFilter("Polly", LogLevel.Error); // Orleans tries again to place a grain; what fails in the end is reported by who asked
        }
    }

    /// <summary>The address under which this machine is reached by those who share a membership Redis: the one from which it reaches that Redis.</summary>
    /// <exception cref="SocketException">Its name is not known.</exception>
    public static IPAddress OwnAddressTowards(string hostAndPort)
    {
        var split = hostAndPort.LastIndexOf(':');
        var host = hostAndPort[..split].Trim('[', ']');
        var addresses = Dns.GetHostAddresses(host);
        var target = addresses.FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0];
        // Connecting a datagram socket sends nothing; it only chooses the route.
        using var socket = new Socket(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Connect(target, int.Parse(hostAndPort[(split + 1)..]));
        return ((IPEndPoint)socket.LocalEndPoint!).Address;
    }
}
