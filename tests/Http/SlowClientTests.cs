using System.Diagnostics;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>Clients that hold a connection without getting on are cut within 10 seconds.</summary>
[Collection(nameof(Origin.TimedTests))]
[Trait(Beside.Name, Beside.Others)]
public class SlowClientTests(GatewayFixture fixture) : IClassFixture<GatewayFixture>
{
    private static readonly TimeSpan _atMost = TimeSpan.FromSeconds(10);

    [SkippableFact]
    public async Task SlowHeadBodyAndReaderAreCut()
    {
        var gateway = fixture.Gateway;
        await gateway.Redis.StringSetAsync("large", new byte[16_777_216]);
        await Task.WhenAll(HalfAHeadAsync(gateway), TricklingHeadAsync(gateway), HalfABodyAsync(gateway), NoReaderAsync(gateway));
        Assert.Equal(200, (await gateway.GetAsync("/get/large")).Status);
    }

    private static async Task HalfAHeadAsync(RunningGateway gateway)
    {
        using var connection = await RawHttp.ConnectAsync(gateway.Port);
        await connection.SendAsync("GET /get/a HTTP/1.1\r\nHost: a\r\nX: ");
        await AssertCutAsync(connection, 408);
    }

    private static async Task TricklingHeadAsync(RunningGateway gateway)
    {
        using var connection = await RawHttp.ConnectAsync(gateway.Port);
        await connection.SendAsync("GET /get/a HTTP/1.1\r\nHost: a\r\nX: ");
        var cut = AssertCutAsync(connection, 408);
        while (!cut.IsCompleted)
        {
            await connection.SendAsync("x");
            await Task.WhenAny(cut, Task.Delay(250));
        }

        await cut;
    }

    private static async Task HalfABodyAsync(RunningGateway gateway)
    {
        using var connection = await RawHttp.ConnectAsync(gateway.Port);
        await connection.SendAsync("PUT /v1/keys/half HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
        await AssertCutAsync(connection, 408);
        Assert.False(await gateway.Redis.KeyExistsAsync("half"));
    }

    private static async Task NoReaderAsync(RunningGateway gateway)
    {
        using var connection = await AskAsync();
        await Task.Delay(_atMost);
        var received = await connection.ReadToCloseAsync(); // what the system had taken off the server's hands
        Assert.True(received.Length < 16_777_216, "The answer was kept ready for a client that did not read it.");

        async Task<RawHttp> AskAsync()
        {
            for (var attempt = 1; ; attempt++)
            {
                var connection = await RawHttp.ConnectAsync(gateway.Port);
                await connection.SendAsync(RawHttp.Request("GET", "/get/large", null, "Accept: application/octet-stream"));
                var status = await connection.AwaitStatusAsync();
                if (status == 200)
                {
                    return connection;
                }

                // A machine that is busy with other tests may not bring so much from Redis in time, and then there is nothing not to read.
                connection.Dispose();
                Assert.True(attempt < 10 && status is 503 or 504, $"It was answered {status}.");
            }
        }
    }

    private static async Task AssertCutAsync(RawHttp connection, int status)
    {
        var waited = Stopwatch.StartNew();
        var answer = await connection.TryReceiveAsync();
        Assert.True(waited.Elapsed < _atMost, $"Cut after {waited.Elapsed}.");
        Assert.Contains(answer?.Status ?? status, new[] { status });
        Assert.True(await connection.IsClosedWithinAsync(TimeSpan.FromSeconds(2)));
    }
}
