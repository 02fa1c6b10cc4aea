using System.Text;
using System.Text.Json;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>A value is bytes, and comes back as it is, in JSON and raw.</summary>
[Collection(GatewayCollection.Name)]
public class ValueTests(GatewayFixture fixture)
{
    private const int MaximumValueBytes = 16_777_216;

    public static TheoryData<string> Values => new(
        "", " ", "a", "Ada", "\0", "a\0b", "null", "true", "-0", "1e400", "\"", "\\", "\\u0041", "/", "</script>", "\r\n", "\t\b\f", "\u001b[31m", "\u007f",
        "é", "€", "😀", "👨‍👩‍👧", "\u2028\u2029", "\ufeffa", "\ufffd", "\u00a0", "e\u0301", "\ud7ff\ue000\U0010ffff", "{\"k\": 1}", "'`<>&+", "a,b;c", "%00%0a",
        "HTTP/1.1 200 OK\r\n\r\n", new string('a', 70_000), "\u0085");

    private RunningGateway Gateway => fixture.Gateway;

    [SkippableTheory]
    [MemberData(nameof(Values))]
    public async Task TextIsAJsonString(string text)
    {
        await Gateway.Redis.StringSetAsync("text", Encoding.UTF8.GetBytes(text));

        var answer = await Gateway.GetAsync("/get/text", "Cache-Control: no-cache");

        using var json = JsonDocument.Parse(answer.Body);
        Assert.Equal((200, "application/json"), (answer.Status, answer["Content-Type"]));
        Assert.Equal(["value", "source"], json.RootElement.EnumerateObject().Select(member => member.Name));
        Assert.Equal(text, json.RootElement.GetProperty("value").GetString());
        Assert.DoesNotContain(answer.Body, static b => b is < 0x20);
    }

    [SkippableTheory]
    [InlineData("ff")]
    [InlineData("fffe")]
    [InlineData("80")]
    [InlineData("61c3")]
    [InlineData("c328")]
    [InlineData("c080")]
    [InlineData("eda080")]
    [InlineData("f5808080")]
    [InlineData("00ff00")]
    [InlineData("1f8b0800")]
    public async Task OtherBytesAreBase64InJson(string hex)
    {
        var value = Convert.FromHexString(hex);
        await Gateway.Redis.StringSetAsync("bytes", value);

        var answer = await Gateway.GetAsync("/get/bytes", "Cache-Control: no-cache");

        Assert.Equal($$"""{"value": "{{Convert.ToBase64String(value)}}", "encoding": "base64", "source": "redis"}""", answer.Text);
        Assert.Equal(value, (await Gateway.GetAsync("/get/bytes", "Accept: application/octet-stream")).Body);
    }

    [SkippableFact]
    public async Task AnswerIsExactlyTheOriginals()
    {
        await Gateway.Redis.StringSetAsync("exact", "Ada");

        Assert.Equal("""{"value": "Ada", "source": "redis"}""", (await Gateway.GetAsync("/get/exact")).Text);
        Assert.Equal("""{"value": "Ada", "source": "cache"}""", (await Gateway.GetAsync("/get/exact")).Text);
        Assert.Equal("""{"value": "Ada", "source": "cache"}""", (await Gateway.GetAsync("/v1/keys/exact")).Text);
    }

    [SkippableFact]
    public async Task EmptyValueIsAValue()
    {
        await Gateway.Redis.StringSetAsync("empty", "");

        Assert.Equal("""{"value": "", "source": "redis"}""", (await Gateway.GetAsync("/get/empty")).Text);
        Assert.Equal("""{"value": "", "source": "cache"}""", (await Gateway.GetAsync("/get/empty")).Text);
        var raw = await Gateway.GetAsync("/get/empty", "Accept: text/plain");
        Assert.Equal((200, "0", "text/plain"), (raw.Status, raw["Content-Length"], raw["Content-Type"]));
        Assert.Equal(204, (await Gateway.SendAsync("PUT", "/v1/keys/empty2", [])).Status);
        Assert.True(await Gateway.Redis.KeyExistsAsync("empty2"));
        Assert.Equal(200, (await Gateway.GetAsync("/get/empty2")).Status);
    }

    [SkippableFact]
    public async Task EveryByteComesBackRaw()
    {
        var value = Enumerable.Range(0, 256).Select(b => (byte)b).ToArray();

        Assert.Equal(204, (await Gateway.SendAsync("PUT", "/v1/keys/all", value)).Status);

        Assert.Equal(value, (byte[]?)await Gateway.Redis.StringGetAsync("all"));
        Assert.Equal(value, (await Gateway.GetAsync("/get/all", "Accept: application/octet-stream")).Body);
        Assert.Equal(value, (await Gateway.GetAsync("/get/all", "Accept: text/plain")).Body);
        Assert.Equal(value, (await Gateway.ReadAsync("/get/all")).Value);
    }

    [SkippableFact]
    public async Task LargestValueIsWrittenReadAndKept()
    {
        var value = new byte[MaximumValueBytes];
        new Random(7).NextBytes(value);

        Assert.Equal(204, (await Gateway.SendAsync("PUT", "/v1/keys/large", value)).Status);

        byte[] written = (await Gateway.Redis.StringGetAsync("large"))!;
        Assert.True(value.SequenceEqual(written));
        var raw = await Gateway.GetAsync("/get/large", "Accept: application/octet-stream");
        Assert.True(value.SequenceEqual(raw.Body));
        Assert.Equal("HIT", raw["X-Cache"]);
        var (json, source) = await Gateway.ReadAsync("/get/large", "Cache-Control: no-cache");
        Assert.True(value.SequenceEqual(json));
        Assert.Equal("redis", source);
        Assert.Equal("cache", (await Gateway.ReadAsync("/get/large")).Source);
        await Gateway.SendAsync("DELETE", "/v1/keys/large", null);
    }

    [SkippableFact]
    public async Task LargestTextIsWrittenByPost()
    {
        var body = $$"""{"k": "large text", "v": "{{new string('a', MaximumValueBytes)}}"}""";

        Assert.Equal(200, (await Gateway.PostAsync("/set", body)).Status);
        Assert.Equal(MaximumValueBytes, await Gateway.Redis.StringLengthAsync("large text"));
        Assert.Equal(413, (await Gateway.PostAsync("/set", body.Replace("\"aa", "\"aaa", StringComparison.Ordinal))).Status);
        Assert.Equal(MaximumValueBytes, await Gateway.Redis.StringLengthAsync("large text"));
        await Gateway.SendAsync("DELETE", "/v1/keys/large%20text", null);
    }

    [SkippableFact]
    public async Task LargerValueIsRefusedInAWrite()
    {
        var answer = await Gateway.SendAsync("PUT", "/v1/keys/larger", new byte[MaximumValueBytes + 1]);

        Assert.Equal((413, "application/problem+json"), (answer.Status, answer["Content-Type"]));
        Assert.False(await Gateway.Redis.KeyExistsAsync("larger"));
    }

    [SkippableFact]
    public async Task LargerValueInRedisIsServedWholeAndNotKept()
    {
        var value = new byte[MaximumValueBytes + 1];
        new Random(8).NextBytes(value);
        await Gateway.Redis.StringSetAsync("huge", value);

        for (var i = 0; i < 2; i++)
        {
            var (read, source) = await Gateway.ReadAsync("/get/huge");
            Assert.True(value.SequenceEqual(read));
            Assert.Equal("redis", source);
            var raw = await Gateway.GetAsync("/get/huge", "Accept: application/octet-stream");
            Assert.True(value.SequenceEqual(raw.Body));
            Assert.Equal(("MISS", "rporleans; fwd=uri-miss"), (raw["X-Cache"], raw["Cache-Status"]));
        }

        await Gateway.Redis.StringSetAsync("huge", "small now");
        Assert.Equal("small now"u8.ToArray(), (await Gateway.ReadAsync("/get/huge")).Value);
    }

    [SkippableFact]
    public async Task KeyOfAnotherTypeIsAConflictAndNeverAbsent()
    {
        await Gateway.Redis.ListLeftPushAsync("list", "a");

        for (var i = 0; i < 2; i++)
        {
            var answer = await Gateway.GetAsync("/get/list");
            Assert.Equal((409, "application/problem+json", "private, no-cache"), (answer.Status, answer["Content-Type"], answer["Cache-Control"]));
        }

        Assert.Equal(409, (await Gateway.SendAsync("HEAD", "/v1/keys/list", null)).Status);
        await Gateway.Redis.KeyDeleteAsync("list");
        Assert.Equal(404, (await Gateway.GetAsync("/get/list")).Status);
        await Gateway.Redis.StringSetAsync("list", "a string now");
        Assert.Equal(200, (await Gateway.GetAsync("/get/list")).Status);
    }

    [SkippableFact]
    public async Task AbsentKeyIsFoundAsSoonAsItIsThere()
    {
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(404, (await Gateway.GetAsync("/get/late")).Status);
        }

        await Gateway.Redis.StringSetAsync("late", "here");
        Assert.Equal(200, (await Gateway.GetAsync("/get/late")).Status);
    }
}
