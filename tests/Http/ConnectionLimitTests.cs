using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary><c>MAX_CLIENTS</c>.</summary>
public class ConnectionLimitTests
{
    [SkippableFact]
    public async Task OneConnectionTooManyIsToldSoAndTheOthersGoOn()
    {
        await using var gateway = await RunningGateway.StartAsync(null, ("MAX_CLIENTS", "3"));
        var home = RawHttp.Request("GET", "/");
        var within = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => RawHttp.ConnectAsync(gateway.Port)));
        foreach (var connection in within)
        {
            await connection.SendAsync(home);
            Assert.Equal(200, (await connection.ReceiveAsync()).Status);
        }

        for (var i = 0; i < 3; i++)
        {
            var (answer, closed) = await RawHttp.AskAsync(gateway.Port, home);
            Assert.Equal((503, "1", "application/problem+json", true), (answer!.Status, answer["Retry-After"], answer["Content-Type"], closed));
            using var problem = System.Text.Json.JsonDocument.Parse(answer.Body);
            Assert.Equal(503, problem.RootElement.GetProperty("status").GetInt32());
            Assert.NotEmpty(problem.RootElement.GetProperty("traceId").GetString()!);
        }

        await within[0].SendAsync(home);
        Assert.Equal(200, (await within[0].ReceiveAsync()).Status);
        await gateway.LivesAsync();

        within[1].Dispose();
        RawAnswer? next = null;
        for (var i = 0; i < 100 && next is not { Status: 200 }; i++)
        {
            (next, _) = await RawHttp.AskAsync(gateway.Port, home); // the server hears of the end in its own time
        }

        Assert.Equal(200, next!.Status);
        Array.ForEach(within, connection => connection.Dispose());
    }
}
