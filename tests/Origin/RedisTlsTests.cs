using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Settings;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Origin;

/// <summary>Redis over TLS: who is trusted, and that nobody else is told anything.</summary>
[Collection(nameof(TimedTests))]
[Trait(Beside.Name, Beside.Others)]
public sealed class RedisTlsTests : IDisposable
{
    private const string Secret = "correct-horse-battery";

    private readonly TestCertificates _certificates = new();
    private readonly int _port = FreePort.Next();

    public void Dispose() => _certificates.Dispose();

    [SkippableTheory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")]
    public async Task RightCertificateServes(string host)
    {
        await using var redis = await StartAsync([host]);
        await using var origin = Connect(host, _certificates.AuthorityFile);

        await origin.ServesAsync();

        Assert.True(await origin.SetAsync("user:7", "Ada"));
        Assert.Equal("Ada"u8.ToArray(), (await origin.ReadAsync("user:7")).Value);
    }

    [SkippableTheory]
    [InlineData("an unknown authority", "UntrustedRoot")]
    [InlineData("the system's authorities", "UntrustedRoot")]
    [InlineData("another name", "RemoteCertificateNameMismatch")]
    [InlineData("another address", "RemoteCertificateNameMismatch")]
    [InlineData("expired", "NotTimeValid")]
    public async Task WrongCertificateIsRefusedWithTheReasonAndBeforeTheLogin(string what, string reason)
    {
        using var others = new TestCertificates();
        await using var redis = await StartAsync(what switch { "another name" => ["redis.example"], "another address" => ["127.0.0.2", "localhost"], _ => ["127.0.0.1"] }, what == "expired" ? -1 : 5);
        await using var origin = Connect("127.0.0.1", what switch { "an unknown authority" => others.AuthorityFile, "the system's authorities" => null, _ => _certificates.AuthorityFile });

        await origin.FailsWithAsync(OriginFault.Untrusted);

        Assert.Equal(OriginFault.Untrusted, origin.Origin.Health.Fault);
        await OriginUnderTest.FailsWithAsync(OriginFault.Untrusted, () => origin.SetAsync("user:7", "Ada"));
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(OriginFault.Untrusted, (await origin.FailsAsync()).Failure.Fault);
            await Task.Delay(10);
        }

        Assert.True(Assert.Single(origin.Log, entry => entry.Id == 103).Text.Contains(reason), origin.Log.First(entry => entry.Id == 103).Text);
        Assert.Contains("cmdstat_auth:calls=1,", await redis.CommandAsync("INFO", "commandstats")); // that of this very question
    }

    [SkippableFact]
    public async Task PlainRedisOnThePortIsRefused()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var origin = Connect("127.0.0.1", _certificates.AuthorityFile, redis.Port);

        await origin.FailsWithAsync(OriginFault.Untrusted);

        await OriginUnderTest.UntilAsync(() => origin.Log.Any(entry => entry.Id == 103));
        Assert.Contains("no TLS on this port", Assert.Single(origin.Log, entry => entry.Id == 103).Text);
    }

    [Fact]
    public async Task PeerWithoutTlsIsToldNothing()
    {
        await using var peer = new FakeRedis { Everything = "-ERR unknown command\r\n" };
        await using var origin = Connect("127.0.0.1", _certificates.AuthorityFile, peer.Port);

        await origin.FailsWithAsync(OriginFault.Untrusted);
        await OriginUnderTest.UntilAsync(() => peer.Connections > 5); // whatever is tried next

        foreach (var word in new[] { Secret, "AUTH", "CLIENT", "PING", "HELLO", "INFO" })
        {
            Assert.DoesNotContain(word, peer.Received, StringComparison.OrdinalIgnoreCase);
        }
    }

    [SkippableFact]
    public async Task HandshakeThatIsNotAnsweredIsATimeoutWhereOthersWere()
    {
        await using var redis = await StartAsync(["127.0.0.1"]);
        await using var origin = Connect("127.0.0.1", _certificates.AuthorityFile);
        await origin.ServesAsync();

        redis.Pause();
        await redis.KillAsync();
        await using var silent = new FakeRedis(_port) { Everything = "" };

        await OriginUnderTest.UntilAsync(() => origin.Origin.Health.Fault == OriginFault.TimedOut);
    }

    [SkippableFact]
    public async Task RedisThatIsDownAfterItWasNotTrustedIsUnreachable()
    {
        await using var origin = Connect("127.0.0.1", _certificates.AuthorityFile);
        await using (await StartAsync(["redis.example"]))
        {
            await origin.FailsWithAsync(OriginFault.Untrusted);
        }

        await OriginUnderTest.UntilAsync(() => origin.Origin.Health.Fault == OriginFault.Unreachable);
        await using var redis = await StartAsync(["127.0.0.1"]);
        Assert.InRange((await origin.ServesAsync()).TotalMilliseconds, 0, 1_000);
    }

    [SkippableFact]
    public async Task WhetherAConnectionIsDeadIsAskedOverTlsToo()
    {
        await using var redis = await StartAsync(["127.0.0.1"]);

        Assert.True(await IsDeadAsync(Options("127.0.0.1", _certificates.AuthorityFile)));
        Assert.False(await IsDeadAsync(Options("localhost", _certificates.AuthorityFile)));
    }

    private static async Task<bool> IsDeadAsync(RedisOptions options)
    {
        await using var address = new RedisAddress(options, NullLogger.Instance);
        return await SecondOpinion.IsDeadAsync(options, address, TimeSpan.FromSeconds(1), () => throw new TimeoutException());
    }

    private Task<RedisServer> StartAsync(string[] names, int daysLeft = 5) =>
        RedisServer.StartAsync(null, Secret, _certificates.RedisArguments(_port, names, daysLeft));

    private OriginUnderTest Connect(string host, string? authorityFile, int? port = null) => new(Options(host, authorityFile, port));

    private RedisOptions Options(string host, string? authorityFile, int? port = null) => RedisOptions.Read(new SettingsReader(
        new ConfigurationBuilder().AddInMemoryCollection(
        [
            new("REDIS_HOST", host), new("REDIS_PORT", $"{port ?? _port}"), new("REDIS_TLS", "true"), new("REDIS_TLS_CA", authorityFile), new("REDIS_PASSWORD", Secret),
        ]).Build()));
}
