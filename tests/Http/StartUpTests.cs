using System.Net;
using System.Net.Sockets;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>How the program starts, and what it says when it cannot.</summary>
public class StartUpTests
{
    [Fact]
    public async Task EverythingWrongIsReportedAtOnce()
    {
        var (code, output) = await GatewayProcess.RunAsync([],
            ("HOST_NAME", "0.0.0.0"), ("SERVER_PORT", "70000"), ("ADMIN_PORT", "abc"), ("RECORD_CAPACITY", "0"), ("RECORD_CAPACITY_BYTES", "-5"), ("RECORD_EXPIRY", "0.01"),
            ("EXPIRY_JITTER", "0.6"), ("REFRESH_AHEAD", "often"), ("STALE_IF_ERROR", "-1"),
            ("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", "6379x"), ("REDIS_DB", "-1"), ("REDIS_TIMEOUT", "never"), ("REDIS_PASSWORD", "s3cret-pa55"), ("CLUSTERING", "sometimes"), ("MEMBERSHIP_REDIS", "nowhere"),
            ("CLUSTER_ID", "a b"), ("LOG_LEVEL", "Loud"), ("MAX_CLIENTS", "0"), ("MAX_KEY_BYTES", "1.5"), ("MAX_VALUE_BYTES", "99999999999"), ("ALLOW_ANONYMOUS", "maybe"), ("TOUCH_SAMPLE", "1.5"));

        Assert.Equal(1, code);
        foreach (var (setting, allowed) in new[]
                 {
                     ("HOST_NAME=0.0.0.0", "ALLOW_ANONYMOUS=true"), ("SERVER_PORT=70000", "1 to 65535"), ("ADMIN_PORT=abc", "1 to 65535"), ("RECORD_CAPACITY=0", "from 1 "),
                     ("RECORD_CAPACITY_BYTES=-5", "from 1 "), ("RECORD_EXPIRY=0.01", "0.05"), ("EXPIRY_JITTER=0.6", "number from 0 to 0.5"), ("REFRESH_AHEAD=often", "number from 0.5 to 1"), ("STALE_IF_ERROR=-1", "seconds from 0 "),
                     ("REDIS_PORT=6379x", "1 to 65535"), ("REDIS_DB=-1", "from 0 "), ("REDIS_TIMEOUT=never", "seconds"),
                     ("CLUSTERING=sometimes", "embedded, redis"), ("MEMBERSHIP_REDIS=nowhere", "host:port"), ("CLUSTER_ID=a b", "letters"), ("LOG_LEVEL=Loud", "Information"), ("MAX_CLIENTS=0", "from 1 "),
                     ("MAX_KEY_BYTES=1.5", "from 1 "), ("MAX_VALUE_BYTES=99999999999", "from 1 "), ("ALLOW_ANONYMOUS=maybe", "true or false"), ("TOUCH_SAMPLE=1.5", "must be a number from 0 to 1"),
                 })
        {
            Assert.Contains(output.Split('\n'), line => line.Contains(setting, StringComparison.Ordinal) && line.Contains(allowed, StringComparison.Ordinal));
        }

        Assert.DoesNotContain("s3cret-pa55", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal); // no stack trace
    }

    [Fact]
    public async Task TwoPortsThatDifferAreAnError()
    {
        var (code, output) = await GatewayProcess.RunAsync([], ("SERVER_PORT", "18080"), ("SEVER_PORT", "18081"));

        Assert.Equal(1, code);
        Assert.Contains("SEVER_PORT=18081", output, StringComparison.Ordinal);
        Assert.Contains("SERVER_PORT=18080", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("[::]")]
    public async Task ListeningForAnybodyNeedsToBeMeant(string host)
    {
        var (code, output) = await GatewayProcess.RunAsync([], ("HOST_NAME", host), ("ALLOW_ANONYMOUS", "false"));

        Assert.Equal(1, code);
        Assert.Contains($"HOST_NAME={host}", output, StringComparison.Ordinal);
        Assert.Contains("ALLOW_ANONYMOUS", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("REDIS_TLS_CA=/nowhere/ca.pem", "cannot be read", "REDIS_HOST=redis", "REDIS_TLS_CA=/nowhere/ca.pem")]
    [InlineData("REDIS_TLS_CA=", "has none", "REDIS_HOST=redis", "REDIS_TLS_CA=empty")]
    [InlineData("REDIS_TLS_CA=", "is none", "REDIS_HOST=redis", "REDIS_TLS_CA=garbage")]
    [InlineData("REDIS_TLS=false", "contradicts REDIS_TLS_CA", "REDIS_HOST=redis", "REDIS_TLS=false", "REDIS_TLS_CA=right")]
    [InlineData("REDIS_TLS=true", "set REDIS_HOST", "REDIS_TLS=true")]
    [InlineData("REDIS_TLS=yes", "true or false", "REDIS_HOST=redis", "REDIS_TLS=yes")]
    public async Task TlsThatCannotBeMeantIsAnError(string setting, string allowed, params string[] settings)
    {
        using var certificates = new TestCertificates();
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, settings.Contains("REDIS_TLS_CA=garbage") ? "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" : "");

        var (code, output) = await GatewayProcess.RunAsync([], [.. settings.Select(s => s.Split('=')).Select(s => (s[0], s[1] switch
        {
            "empty" or "garbage" => file,
            "right" => certificates.AuthorityFile,
            _ => s[1],
        }))]);
        File.Delete(file);

        Assert.Equal(1, code);
        Assert.Contains(output.Split('\n'), line => line.Contains(setting, StringComparison.Ordinal) && line.Contains(allowed, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("REDIS_SENTINEL=nobody:26379", "name@host:port", "REDIS_SENTINEL=nobody:26379")]
    [InlineData("REDIS_SENTINEL=mymaster@one:26379,", "name@host:port", "REDIS_SENTINEL=mymaster@one:26379,")]
    [InlineData("REDIS_SENTINEL=mymaster@one:70000", "1 to 65535", "REDIS_SENTINEL=mymaster@one:70000")]
    [InlineData("REDIS_HOST=redis", "contradicts REDIS_SENTINEL", "REDIS_HOST=redis", "REDIS_SENTINEL=mymaster@one:26379,[::1]")]
    [InlineData("REDIS_SENTINEL_PASSWORD=(not shown)", "needs REDIS_SENTINEL", "REDIS_HOST=redis", "REDIS_SENTINEL_PASSWORD=s3cret-pa55")]
    public async Task SentinelsThatCannotBeMeantAreAnError(string setting, string allowed, params string[] settings)
    {
        var (code, output) = await GatewayProcess.RunAsync([], [.. settings.Select(s => s.Split('=')).Select(s => (s[0], s[1]))]);

        Assert.Equal(1, code);
        Assert.Contains(output.Split('\n'), line => line.Contains(setting, StringComparison.Ordinal) && line.Contains(allowed, StringComparison.Ordinal));
        Assert.DoesNotContain("s3cret-pa55", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ClusterOfProcessesNeedsItsTwoRedises()
    {
        var (code, output) = await GatewayProcess.RunAsync([], ("CLUSTERING", "redis"), ("MEMBERSHIP_REDIS", ""), ("REDIS_HOST", ""));

        Assert.Equal(1, code);
        Assert.Contains("MEMBERSHIP_REDIS is not set", output, StringComparison.Ordinal);
        Assert.Contains("REDIS_HOST is not set", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PortThatIsTakenIsSaidInALine()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var (code, output) = await GatewayProcess.RunAsync([], ("SERVER_PORT", $"{port}"), ("ADMIN_PORT", $"{FreePort.Next()}"), ("REDIS_HOST", "127.0.0.1"));

        Assert.Equal(1, code);
        Assert.Contains(output.Split('\n'), line => line.Contains($":{port}", StringComparison.Ordinal) && line.Contains("in use", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AllInOneNeedsNothingAndSaysWhatToTry()
    {
        var (port, adminPort) = (FreePort.Next(), FreePort.Next());
        // As the original spelled it; what is empty counts as unset.
        await using var gateway = GatewayProcess.Start([],
            ("SEVER_PORT", $"{port}"), ("SERVER_PORT", ""), ("ADMIN_PORT", $"{adminPort}"), ("REDIS_HOST", ""), ("RECORD_CAPACITY", ""), ("CLUSTERING", ""), ("HOST_NAME", ""), ("LOG_LEVEL", "Debug"));
        await gateway.SaysAsync("SEVER_PORT is taken for SERVER_PORT");

        Assert.Contains($"http://localhost:{port}", gateway.Output, StringComparison.Ordinal);
        Assert.Contains($"http://localhost:{adminPort}", gateway.Output, StringComparison.Ordinal);
        Assert.Contains($"curl http://localhost:{port}/get/hello", gateway.Output, StringComparison.Ordinal);
        Assert.Contains("curl -d '{\"k\": \"hello\", \"v\": \"world\"}'", gateway.Output, StringComparison.Ordinal);

        (string, string)[] beside = [("ADMIN_PORT", $"{adminPort}"), ("SERVER_PORT", $"{port}")];
        Assert.Equal(0, (await GatewayProcess.RunAsync(["--health"], beside)).ExitCode);
        await UsesTheStoreInsideAsync(port);
        Assert.DoesNotContain("hidden", gateway.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("forged", gateway.Output, StringComparison.Ordinal);
        Assert.Equal(0, await gateway.StopAsync());
        Assert.Equal(1, (await GatewayProcess.RunAsync(["--health"], beside)).ExitCode);
    }

    private static async Task UsesTheStoreInsideAsync(int port)
    {
        using var connection = await RawHttp.ConnectAsync(port);
        await connection.SendAsync(RawHttp.Request("POST", "/set", "{\"k\": \"hidden-key\", \"v\": \"hidden-value\"}"u8.ToArray()));
        Assert.Equal("""{"result": "OK"}""", (await connection.ReceiveAsync()).Text);
        foreach (var (target, status) in new[] { ("/get/hidden-key", 200), ("/get/hidden%00%0d%0aforged", 404), ("/get/hidden%1b[31m", 404), ("/get/hidden%zz", 400), ("/hidden", 404) })
        {
            await connection.SendAsync(RawHttp.Request("GET", target));
            Assert.Equal(status, (await connection.ReceiveAsync()).Status);
        }

        await connection.SendAsync(RawHttp.Request("PUT", "/v1/keys/hidden%00", "hidden"u8.ToArray()));
        Assert.Equal(204, (await connection.ReceiveAsync()).Status);
        await connection.SendAsync("GET /get/hidden\nforged: x\n\n"); // not even what cannot be read
        Assert.Equal(400, (await connection.ReceiveAsync()).Status);
    }
}
