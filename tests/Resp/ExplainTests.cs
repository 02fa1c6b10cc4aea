using System.Globalization;
using System.Text.Json;
using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Resp;

/// <summary>Why one got what one got, by <c>RP.EXPLAIN</c> and on the admin port.</summary>
[Collection(ProcessesCollection.Name)]
[Trait(Beside.Name, Beside.Others)]
public sealed class ExplainTests
{
    [SkippableFact]
    public async Task ACopyIsExplainedAndNotTouched()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var gateway = await AllInOne.StartAsync(redis.Port);
        await gateway.Process.ReadyAsync(TimeSpan.FromSeconds(5));
        using var client = await RespSocket.ConnectAsync(int.Parse(gateway.Process.Settings["RESP_PORT"], CultureInfo.InvariantCulture));
        await redis.CommandAsync("SET", "a/b", "value");

        var before = await ExplainAsync(gateway, "a%2Fb");
        await client.AskAsync("$5\r\nvalue\r\n", "GET", "a/b");
        var held = await ExplainAsync(gateway, "a%2Fb");
        await redis.CommandAsync("DEL", "a/b");
        await Eventually.TrueAsync(async () => !(await ExplainAsync(gateway, "a%2Fb")).GetProperty("held").GetBoolean(), TimeSpan.FromSeconds(1), "it is gone");

        Assert.False(before.GetProperty("held").GetBoolean());
        Assert.True(held.GetProperty("held").GetBoolean());
        Assert.True(held.GetProperty("owner").GetBoolean());
        Assert.Equal(5, held.GetProperty("valueBytes").GetInt64());
        Assert.Equal("Tracking", held.GetProperty("freshness").GetString());
        Assert.InRange(held.GetProperty("freshMilliseconds").GetInt64(), 50_000, 60_000);
    }

    [SkippableFact]
    public async Task TheCommandSaysTheSameInBothVersionsOfTheProtocol()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var gateway = await AllInOne.StartAsync(redis.Port);
        await gateway.Process.ReadyAsync(TimeSpan.FromSeconds(5));
        using var client = await RespSocket.ConnectAsync(int.Parse(gateway.Process.Settings["RESP_PORT"], CultureInfo.InvariantCulture));

        Assert.StartsWith("*16\r\n$5\r\nowner\r\n", await client.AskAsync("*16\r\n$5\r\nowner\r\n", "RP.EXPLAIN", "key"));
        using var three = await RespSocket.ConnectAsync(int.Parse(gateway.Process.Settings["RESP_PORT"], CultureInfo.InvariantCulture));
        await three.SendAsync(RespSocket.Command("HELLO", "3") + RespSocket.Command("RP.EXPLAIN", "key") + RespSocket.Command("QUIT"));
        Assert.Contains("%8\r\n$5\r\nowner\r\n", await three.ReceiveAllAsync());
        Assert.Equal(404, (await gateway.Process.AdminAsync("/v1/keys/key")).Status);
    }

    private static async Task<JsonElement> ExplainAsync(AllInOne gateway, string key)
    {
        var (status, body) = await gateway.Process.AdminAsync($"/v1/keys/{key}/explain");
        Assert.Equal(200, status);
        return JsonDocument.Parse(body).RootElement;
    }
}
