using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using RpOrleans.Gateway;
using RpOrleans.Grains.Hosting;
using RpOrleans.Tests.Support;
using StackExchange.Redis;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>A gateway and its node in the tests' own process, in front of a real Redis of its own.</summary>
internal sealed class RunningGateway : IAsyncDisposable
{
    private static readonly PortReservation _ports = new();

    private readonly WebApplication _app;
    private readonly ConnectionMultiplexer _connection;
    private readonly TimeInHand? _time;

    private RunningGateway(WebApplication app, RedisServer server, ConnectionMultiplexer connection, int port, int adminPort, TimeInHand? time)
    {
        (_app, Server, _connection, Port, AdminPort, _time) = (app, server, connection, port, adminPort, time);
    }

    /// <summary>Where the gateway listens.</summary>
    public int Port { get; }

    public int AdminPort { get; }

    /// <summary>The Redis behind it.</summary>
    public RedisServer Server { get; }

    /// <summary>The same, to be read and written past the gateway.</summary>
    public IDatabase Redis => _connection.GetDatabase();

    /// <summary>Starts one, and waits until it is ready.</summary>
    /// <param name="time">A clock that stands still but for its start; the system's by default.</param>
    /// <param name="settings">Further environment variables.</param>
    public static async Task<RunningGateway> StartAsync(TimeInHand? time = null, params (string Name, string Value)[] settings)
    {
        var server = await RedisServer.StartAsync();
        var connection = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{server.Port},allowAdmin=true,syncTimeout=20000,asyncTimeout=20000");
        var (port, adminPort) = (FreePort.Next(), FreePort.Next());
        var environment = new ConfigurationBuilder().AddInMemoryCollection(
        [
            new("SERVER_PORT", $"{port}"), new("RESP_PORT", "0"), new("ADMIN_PORT", $"{adminPort}"), new("REDIS_HOST", "127.0.0.1"), new("REDIS_PORT", $"{server.Port}"), new("REDIS_TIMEOUT", "0.5"),
            new("LOG_LEVEL", "Error"),
            new("COHERENCE", "expiry"), // what a test changes in Redis behind its back stays unseen, as long as is set
        ]).AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build();
        var app = GatewayHosting.Build(GatewaySettings.Read(environment), adminPort, _ports, time ?? TimeProvider.System, new ConfigurationBuilder().Build());
        var gateway = new RunningGateway(app, server, connection, port, adminPort, time);
        await gateway.PassingTimeAsync(app.StartAsync());
        await gateway.PassingTimeAsync(gateway.BecomesReadyAsync());
        return gateway;
    }

    /// <summary>Sends a request over a connection of its own.</summary>
    public async Task<RawAnswer> SendAsync(string method, string target, byte[]? body, params string[] headers)
    {
        var (answer, _) = await RawHttp.AskAsync(Port, RawHttp.Request(method, target, body, headers));
        return answer ?? throw new EndOfStreamException("The server closed the connection without an answer.");
    }

    public Task<RawAnswer> GetAsync(string target, params string[] headers) => SendAsync("GET", target, null, headers);

    public Task<RawAnswer> PostAsync(string target, string body, params string[] headers) => SendAsync("POST", target, Encoding.UTF8.GetBytes(body), headers);

    /// <summary>Reads a key as JSON.</summary>
    /// <returns>Its value's bytes, and where they came from.</returns>
    public async Task<(byte[] Value, string Source)> ReadAsync(string target, params string[] headers)
    {
        var answer = await GetAsync(target, headers);
        Assert.True(answer.Status == 200, $"{answer}");
        return Parse(answer);
    }

    /// <summary>Takes a JSON answer apart.</summary>
    public static (byte[] Value, string Source) Parse(RawAnswer answer)
    {
        Assert.Equal("application/json", answer["Content-Type"]);
        using var json = JsonDocument.Parse(answer.Body);
        var members = json.RootElement.EnumerateObject().Select(member => member.Name).ToArray();
        var value = json.RootElement.GetProperty("value").GetString()!;
        var source = json.RootElement.GetProperty("source").GetString()!;
        Assert.Contains(source, new[] { "redis", "cache" });
        if (members.Length == 2)
        {
            return (Encoding.UTF8.GetBytes(value), source);
        }

        Assert.Equal(["value", "encoding", "source"], members);
        Assert.Equal("base64", json.RootElement.GetProperty("encoding").GetString());
        return (Convert.FromBase64String(value), source);
    }

    /// <summary>Commands of a kind that Redis has carried out.</summary>
    public async Task<long> CallsAsync(string command)
    {
        var figures = await Server.CommandAsync("INFO", "commandstats");
        var at = figures.IndexOf($"cmdstat_{command}:calls=", StringComparison.Ordinal);
        return at < 0 ? 0 : long.Parse(figures[(figures.IndexOf('=', at) + 1)..figures.IndexOf(',', at)]);
    }

    /// <summary>The process answers on its admin port.</summary>
    public async Task LivesAsync() => Assert.Equal(200, (await RawHttp.AskAsync(AdminPort, RawHttp.Request("GET", "/livez"))).Answer!.Status);

    public async ValueTask DisposeAsync()
    {
        await PassingTimeAsync(_app.StopAsync());
        await PassingTimeAsync(_app.DisposeAsync().AsTask());
        await _connection.DisposeAsync();
        await Server.DisposeAsync();
    }

    private async Task BecomesReadyAsync()
    {
        var waited = Stopwatch.StartNew();
        while ((await RawHttp.AskAsync(AdminPort, RawHttp.Request("GET", "/readyz"))).Answer is not { Status: 200 })
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(20), "The gateway is not ready.");
            await Task.Delay(10);
        }
    }

    /// <summary>What starts and stops waits for the clock now and then.</summary>
    private async Task PassingTimeAsync(Task task)
    {
        while (_time is not null && !task.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.WhenAny(task, Task.Delay(5));
        }

        await task;
    }

#pragma warning disable CA2255 // a test assembly is loaded once, and the switch is read when the first server is built
    /// <summary>The same switch that the gateway's own process is started with.</summary>
    [ModuleInitializer]
    internal static void TakeNoBareLineFeeds() => AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
#pragma warning restore CA2255
}
