using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Coherence;

/// <summary>A gateway and its node in front of a Redis over TLS: each of their connections.</summary>
[Collection(ProcessesCollection.Name)]
[Trait(Beside.Name, Beside.Others)]
public sealed class RedisOverTlsTests(ITestOutputHelper output) : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _soon = TimeSpan.FromMilliseconds(250);

    private readonly TestCertificates _certificates = new();
    private readonly int _port = FreePort.Next();

    public void Dispose() => _certificates.Dispose();

    [SkippableFact]
    public async Task ReadsWritesInvalidationsAndLargeValuesPass()
    {
        await using var redis = await StartAsync("127.0.0.1");
        await using var node = await AllInOne.StartAsync(_port, ("REDIS_TLS_CA", _certificates.AuthorityFile), ("REDIS_PASSWORD", "secret"), ("MAX_VALUE_BYTES", "100"));
        await node.Process.ReadyAsync(_patience);

        Assert.Equal(204, (await node.Client.PutAsync("key", "old")).Status);
        await HeldAsync(node, "key");
        await redis.CommandAsync("SET", "key", "new");
        await SeenAsync(node, "key", "new", _soon);
        await redis.CommandAsync("SET", "large", new string('x', 200));
        Assert.Equal(200, (await node.Client.GetAsync("large")).Body.Length);

        foreach (var type in new[] { "pubsub", "normal" })
        {
            await HeldAsync(node, "key");
            await redis.CommandAsync("CLIENT", "KILL", "TYPE", type);
            await redis.CommandAsync("SET", "key", $"after {type}");
            await SeenAsync(node, "key", $"after {type}", TimeSpan.FromSeconds(0.5)); // COHERENCE_BOUND
        }

        output.WriteLine(node.Process.TakeReport());
    }

    [SkippableFact]
    public async Task WhileTheLinkIsSilentNothingCountsAsFresh()
    {
        await using var redis = await StartAsync("127.0.0.1");
        await using var proxy = new FaultProxy(_port, seed: 1);
        await using var node = await AllInOne.StartAsync(proxy.Port, ("REDIS_TLS_CA", _certificates.AuthorityFile), ("REDIS_PASSWORD", "secret"));
        await node.Process.ReadyAsync(_patience);
        await redis.CommandAsync("SET", "key", "old");
        await HeldAsync(node, "key");

        proxy.Set(ProxyFault.BlackHole);
        await redis.CommandAsync("SET", "key", "new");
        await Task.Delay(TimeSpan.FromSeconds(0.5)); // COHERENCE_BOUND
        Assert.NotEqual("HIT", (await node.Client.GetAsync("key")).Cache);
        proxy.Heal();

        await SeenAsync(node, "key", "new", TimeSpan.FromSeconds(3));
    }

    [SkippableFact]
    public async Task RedisThatIsNotTrustedIsABadGatewayAndNotReady()
    {
        await using var redis = await StartAsync("redis.example");
        await using var node = await AllInOne.StartAsync(_port, ("REDIS_TLS_CA", _certificates.AuthorityFile), ("REDIS_PASSWORD", "secret"));

        await node.AnswersAsync(502, "key", _patience);

        var (status, reasons) = await node.Process.AdminAsync("/readyz");
        Assert.Equal(503, status);
        Assert.Contains("no certificate that is trusted for its name", reasons);
        Assert.Contains("RemoteCertificateNameMismatch", node.Process.Output);
        Assert.DoesNotContain("secret", node.Process.Output);
    }

    private Task<RedisServer> StartAsync(string name) => RedisServer.StartAsync(null, "secret", _certificates.RedisArguments(_port, [name]));

    private static async Task HeldAsync(AllInOne node, string key) => await Eventually.TrueAsync(
        async () => (await node.Client.GetAsync(key)) is { Cache: "HIT" } hit && hit.CacheStatus!.EndsWith("detail=tracking", StringComparison.Ordinal),
        TimeSpan.FromSeconds(2),
        "the key is held and tracked");

    private static async Task SeenAsync(AllInOne node, string key, string value, TimeSpan within) =>
        await Eventually.TrueAsync(async () => (await node.Client.GetAsync(key)).Body == value, within, $"{key} is {value}");
}
