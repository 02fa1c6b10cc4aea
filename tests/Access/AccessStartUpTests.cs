using System.Diagnostics;
using System.Text;
using RpOrleans.Gateway.Access;
using RpOrleans.Tests.Http;
using RpOrleans.Tests.Resp;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Access;

/// <summary>What the program says of its users when it starts, and what it never says.</summary>
public sealed class AccessStartUpTests
{
    [Fact]
    public async Task EveryBadLineIsNamedAndNoneIsShown()
    {
        var file = Path.GetTempFileName();
        var hash = UsersForTests.Hash("s3cret");
        await File.WriteAllLinesAsync(file,
        [
            "# s3cret", $"good {hash} read *", $"three {hash} read", $"five {hash} read * s3cret", $"a:b {hash} read *", "plain s3cret read *", $"rights {hash} s3cret *",
            $"pattern {hash} write s3cret*", $"good {hash} write *", $"default {hash} write *", $"weak {hash.Replace("$1000$", "$999$")} read *", $"cut {hash[..^8]} read *",
        ]);

        var (code, output) = await GatewayProcess.RunAsync([], ("HOST_NAME", "0.0.0.0"), ("RESP_PASSWORD", "s3cret"), ("RESP_USERS_FILE", file), ("MAX_CLIENTS", "0"));
        File.Delete(file);

        Assert.Equal(1, code);
        foreach (var (line, problem) in new[]
                 {
                     (3, "four words"), (4, "four words"), (5, "a colon"), (6, "--hash-secret"), (7, "read or write"), (8, "not a pattern"), (9, "already"), (10, "already"), (11, "--hash-secret"), (12, "--hash-secret"),
                 })
        {
            Assert.Contains(output.Split('\n'), said => said.Contains($"RESP_USERS_FILE={file}: line {line}: ", StringComparison.Ordinal) && said.Contains(problem, StringComparison.Ordinal));
        }

        Assert.DoesNotContain("line 1:", output);
        Assert.DoesNotContain("line 2:", output);
        Assert.Contains("MAX_CLIENTS=0", output);
        Assert.DoesNotContain("HOST_NAME", output); // users are given
        Assert.DoesNotContain("s3cret", output);
        Assert.DoesNotContain(hash[..30], output);
        Assert.DoesNotContain("   at ", output);
    }

    [Theory]
    [InlineData("/nowhere/users", "cannot be read")]
    [InlineData("/", "cannot be read")]
    [InlineData("/dev/null", "names no user")]
    public async Task FileWithoutUsersIsAnError(string file, string problem)
    {
        var (code, output) = await GatewayProcess.RunAsync([], ("RESP_USERS_FILE", file));

        Assert.Equal(1, code);
        Assert.Contains(output.Split('\n'), said => said.Contains($"RESP_USERS_FILE={file}: ", StringComparison.Ordinal) && said.Contains(problem, StringComparison.Ordinal));
    }

    [Fact]
    public async Task HashIsMadeFromStandardInput()
    {
        var (code, output) = await HashAsync("s3cret of ünïts\nand no more");

        Assert.Equal(0, code);
        var hash = SecretHash.Parse(output.Trim());
        Assert.True(hash!.IsOf("s3cret of ünïts"u8, hash.Rounds));
        Assert.False(hash.IsOf("s3cret of units"u8, hash.Rounds));
        Assert.Equal(1, (await HashAsync("\n")).Code);
    }

    [Fact]
    public async Task NothingSecretIsLogged()
    {
        var (port, respPort) = (FreePort.Next(), FreePort.Next());
        using var users = new UsersForTests();
        await using var gateway = GatewayProcess.Start([],
            [.. users.Settings, ("SERVER_PORT", $"{port}"), ("RESP_PORT", $"{respPort}"), ("ADMIN_PORT", $"{FreePort.Next()}"), ("HOST_NAME", "0.0.0.0"), ("LOG_LEVEL", "Trace")]);
        await gateway.SaysAsync($"redis-cli -p {respPort}");

        using var client = await RespSocket.ConnectAsync(respPort);
        foreach (var words in new[] { ("-WRONGPASS invalid", "AUTH s3cret-guessed"), ("+OK\r\n", $"AUTH app {UsersForTests.App}"), ("-WRONGPASS invalid", "HELLO 3 AUTH app s3cret-guessed") })
        {
            await client.SendAsync(RespSocket.Command(words.Item2.Split(' ')));
            Assert.StartsWith(words.Item1, await client.ReceiveAsync(words.Item1[0] == '+' ? 5 : "-WRONGPASS invalid username-password pair or user is disabled.\r\n".Length));
        }

        foreach (var (status, header) in new[]
                 {
                     (401, "Basic " + Base64("app:s3cret-guessed")), (404, "Basic " + Base64($"app:{UsersForTests.App}")), (404, $"Bearer {UsersForTests.Password}"), (401, "Bearer s3cret-guessed"),
                 })
        {
            Assert.Equal(status, (await RawHttp.AskAsync(port, RawHttp.Request("GET", "/get/app:none", null, $"Authorization: {header}"))).Answer!.Status);
        }

        Assert.Equal(0, await gateway.StopAsync());
        Assert.Contains("dbug: ", gateway.Output);
        Assert.DoesNotContain("s3cret", gateway.Output);
        Assert.DoesNotContain(Base64($"app:{UsersForTests.App}"), gateway.Output);
        Assert.DoesNotContain("pbkdf2", gateway.Output);

        static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
    }

    private static async Task<(int Code, string Output)> HashAsync(string input)
    {
        var start = new ProcessStartInfo("dotnet", [NodeProcess.Locate("RpOrleans.Gateway"), "--hash-secret"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, StandardInputEncoding = new UTF8Encoding(false),
        };
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = await process.StandardOutput.ReadToEndAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await process.WaitForExitAsync(patience.Token);
        return (process.ExitCode, output);
    }
}
