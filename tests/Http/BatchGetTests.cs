using System.Text;
using System.Text.Json;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary><c>POST /v1/keys:batchGet</c>.</summary>
[Collection(GatewayCollection.Name)]
public class BatchGetTests(GatewayFixture fixture)
{
    public static TheoryData<string> BadBodies => new(
        "", "{", "null", "[]", "[\"a\"]", "{}", "{\"keys\": null}", "{\"keys\": \"a\"}", "{\"keys\": {}}", "{\"keys\": [1]}", "{\"keys\": [null]}", "{\"keys\": [\"a\", true]}",
        "{\"keys\": [[\"a\"]]}", "{\"keys\": [\"a\",]}", "{\"keys\": [\"a\"]} x", "{\"Keys\": [\"a\"]}", "{\"keys\": [\"\\ud800\"]}", "{\"keys\": [\"\u00ff\"]}",
        "{\"keys\": [\"a\"], \"keys\": [\"b\"]}", "\u00ef\u00bb\u00bf{\"keys\": [\"a\"]}", new string('[', 10_000),
        $"{{\"keys\": [{string.Join(",", Enumerable.Repeat("\"a\"", 1_001))}]}}");

    private RunningGateway Gateway => fixture.Gateway;

    [SkippableFact]
    public async Task EachKeyIsAnsweredInItsPlace()
    {
        await Gateway.Redis.StringSetAsync("b1", "one");
        await Gateway.Redis.StringSetAsync("b2", new byte[] { 0xff });
        await Gateway.Redis.StringSetAsync("b é\"/", "é\n");
        await Gateway.Redis.StringSetAsync("b empty", "");
        await Gateway.Redis.ListLeftPushAsync("b list", "a");
        await Gateway.GetAsync("/get/b1");
        var longKey = new string('k', 1_025);

        var answer = await Gateway.PostAsync("/v1/keys:batchGet", $$"""{"keys": ["b1", "absent", "b2", "b é\"/", "b list", "{{longKey}}", "b1", "b empty"], "more": 1}""");

        Assert.Equal((200, "application/json"), (answer.Status, answer["Content-Type"]));
        using var json = JsonDocument.Parse(answer.Body);
        var results = json.RootElement.GetProperty("results").EnumerateArray().ToArray();
        Assert.Equal(["b1", "absent", "b2", "b é\"/", "b list", longKey, "b1", "b empty"], results.Select(result => result.GetProperty("key").GetString()));
        AssertJson("""{"key": "b1", "found": true, "value": "one", "source": "cache"}""", results[0]);
        AssertJson("""{"key": "absent", "found": false}""", results[1]);
        AssertJson("""{"key": "b2", "found": true, "value": "/w==", "encoding": "base64", "source": "redis"}""", results[2]);
        AssertJson("""{"key": "b é\"/", "found": true, "value": "é\n", "source": "redis"}""", results[3]);
        Assert.Equal(409, ErrorStatus(results[4]));
        Assert.Equal(414, ErrorStatus(results[5]));
        AssertJson("""{"key": "b1", "found": true, "value": "one", "source": "cache"}""", results[6]);
        AssertJson("""{"key": "b empty", "found": true, "value": "", "source": "redis"}""", results[7]);
    }

    [SkippableFact]
    public async Task ReadsFillTheCache()
    {
        await Gateway.Redis.StringSetAsync("b fill", "v");

        await Gateway.PostAsync("/v1/keys:batchGet", """{"keys": ["b fill"]}""");

        Assert.Equal("cache", (await Gateway.ReadAsync("/get/b%20fill")).Source);
    }

    [SkippableFact]
    public async Task ThousandKeysAreAnswered()
    {
        var keys = Enumerable.Range(0, 1_000).Select(i => $"b{i:d4}").ToArray();
        await Task.WhenAll(keys.Where((_, i) => i % 2 == 0).Select(key => Gateway.Redis.StringSetAsync(key, key)));

        for (var round = 0; round < 2; round++)
        {
            var answer = await Gateway.PostAsync("/v1/keys:batchGet", JsonSerializer.Serialize(new { keys }));
            using var json = JsonDocument.Parse(answer.Body);
            var results = json.RootElement.GetProperty("results").EnumerateArray().ToArray();
            Assert.Equal(keys, results.Select(result => result.GetProperty("key").GetString()));
            Assert.Equal(keys.Select((key, i) => i % 2 == 0 ? key : null), results.Select(result => result.TryGetProperty("value", out var value) ? value.GetString() : null));
            Assert.All(results.Where((_, i) => i % 2 == 0), result => Assert.Equal(round == 0 ? "redis" : "cache", result.GetProperty("source").GetString()));
        }
    }

    [SkippableFact]
    public async Task ThousandLongestKeysAreAnswered()
    {
        var keys = Enumerable.Range(0, 1_000).Select(i => $"{i:d4}{new string('\u0001', 1_020)}").ToArray(); // six characters each in JSON

        var answer = await Gateway.PostAsync("/v1/keys:batchGet", JsonSerializer.Serialize(new { keys }));

        Assert.Equal(200, answer.Status);
        using var json = JsonDocument.Parse(answer.Body);
        Assert.Equal(1_000, json.RootElement.GetProperty("results").EnumerateArray().Count(result => !result.GetProperty("found").GetBoolean()));
    }

    [SkippableFact]
    public async Task NoKeysAreNoResults()
    {
        var answer = await Gateway.PostAsync("/v1/keys:batchGet?x=y", """{"keys": []}""");

        Assert.Equal((200, """{"results": []}"""), (answer.Status, answer.Text));
    }

    [SkippableTheory]
    [MemberData(nameof(BadBodies))]
    public async Task BadBodyIsRefused(string body)
    {
        var answer = await Gateway.SendAsync("POST", "/v1/keys:batchGet", Encoding.Latin1.GetBytes(body));

        Assert.Equal((400, "application/problem+json"), (answer.Status, answer["Content-Type"]));
    }

    private static int ErrorStatus(JsonElement result)
    {
        Assert.Equal(["key", "error"], result.EnumerateObject().Select(member => member.Name));
        Assert.NotEmpty(result.GetProperty("error").GetProperty("title").GetString()!);
        return result.GetProperty("error").GetProperty("status").GetInt32();
    }

    private static void AssertJson(string expected, JsonElement actual)
    {
        using var json = JsonDocument.Parse(expected);
        Assert.Equal(JsonSerializer.Serialize(json.RootElement), JsonSerializer.Serialize(actual));
    }
}
