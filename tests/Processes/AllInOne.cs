using System.Globalization;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Processes;

/// <summary>Gateway and node as one process in front of a real Redis, and a client of it.</summary>
internal sealed class AllInOne : IAsyncDisposable
{
    private AllInOne(NodeProcess process)
    {
        Process = process;
        Client = new Client(process.Port);
    }

    public NodeProcess Process { get; }

    public Client Client { get; }

    /// <summary>Starts it, and waits until it answers, whatever it says.</summary>
    public static async Task<AllInOne> StartAsync(int redisPort, params (string Name, string Value)[] settings)
    {
        return await StartAsync([("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", redisPort.ToString(CultureInfo.InvariantCulture)), .. settings]);
    }

    /// <inheritdoc cref="StartAsync(int, ValueTuple{string, string}[])"/>
    public static async Task<AllInOne> StartAsync(params (string Name, string Value)[] settings)
    {
        var process = await NodeProcess.StartGatewayAsync(settings.Select(setting => KeyValuePair.Create(setting.Name, setting.Value)));
        await Eventually.TrueAsync(
            async () => process.HasEnded ? throw new InvalidOperationException(process.TakeReport()) : (await process.AdminAsync("/livez")).Status == 200,
            ClusterFixture.StartPatience,
            "the process is alive");
        var node = new AllInOne(process);
        await node.Client.RepeatAsync(200, "warming:up"); // so that what is measured later is not the compiler
        return node;
    }

    /// <summary>Waits until a read comes to a status.</summary>
    /// <returns>How long it took.</returns>
    public Task<TimeSpan> AnswersAsync(int status, string key, TimeSpan within) =>
        Eventually.TrueAsync(async () => (await Client.GetAsync(key)).Status == status, within, $"a read is answered {status}");

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Process.DisposeAsync();
    }
}
