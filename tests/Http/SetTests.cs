using System.Text;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary><c>POST /</c> and <c>POST /set</c>.</summary>
[Collection(GatewayCollection.Name)]
public class SetTests(GatewayFixture fixture)
{
    /// <summary>Bodies that set nothing, one character a byte.</summary>
    public static TheoryData<string> BadBodies => new(
        "", " ", "{", "}", "[]", "null", "true", "1", "\"a\"", "rubbish", "{}", """["k", "v"]""", """[{"k": "set", "v": "x"}]""",
        // members missing, or of another type
        """{"k": "set"}""", """{"v": "x"}""", """{"K": "set", "V": "x"}""", """{"k": null, "v": "x"}""", """{"k": 1, "v": "x"}""", """{"k": true, "v": "x"}""",
        """{"k": ["set"], "v": "x"}""", """{"k": {}, "v": "x"}""", """{"k": "set", "v": null}""", """{"k": "set", "v": true}""", """{"k": "set", "v": false}""",
        """{"k": "set", "v": []}""", """{"k": "set", "v": {}}""", """{"k": "set", "v": ["x"]}""", """{"k": "set", "v": {"a": 1}}""",
        // numbers that are none
        """{"k": "set", "v": 01}""", """{"k": "set", "v": +1}""", """{"k": "set", "v": .5}""", """{"k": "set", "v": 1.}""", """{"k": "set", "v": 0x1}""",
        """{"k": "set", "v": NaN}""", """{"k": "set", "v": Infinity}""", """{"k": "set", "v": -}""", """{"k": "set", "v": 1e}""", """{"k": "set", "v": 1_0}""",
        // text that has no UTF-8
        """{"k": "set", "v": "\ud800"}""", """{"k": "set", "v": "\udc00\ud800"}""", """{"k": "set", "v": "a\ud83dz"}""", """{"k": "set\ud800", "v": "x"}""",
        "{\"k\": \"set\", \"v\": \"\u00ff\"}", "{\"k\": \"set\", \"v\": \"\u00c3\u0028\"}", "{\"k\": \"set\u00ff\", \"v\": \"x\"}", "{\"k\": \"set\", \"v\": \"\u00ed\u00a0\u0080\"}",
        // not JSON to the letter
        """{"k": "set", "v": "x"} x""", """{"k": "set", "v": "x"}{"k": "set", "v": "y"}""", """{"k": "set", "v": "x",}""", """{'k': 'set', 'v': 'x'}""",
        """{k: "set", v: "x"}""", """{"k": "set" "v": "x"}""", """{"k": "set", "v": "x" /* */}""", """{"k": "set", "v": "x"}// """, "{\"k\": \"set\", \"v\": \"a\nb\"}",
        "{\"k\": \"set\", \"v\": \"a\0b\"}", "{\"k\": \"set\", \"v\": \"x\"}\0", """{"k": "set", "v": "\x41"}""", """{"k": "set", "v": "\u00g0"}""", "\u00ef\u00bb\u00bf{\"k\": \"set\", \"v\": \"x\"}",
        "{\0\"\0k\0", "k=set&v=x",
        // members twice
        """{"k": "set", "k": "set", "v": "x"}""", """{"k": "other", "k": "set", "v": "x"}""", """{"k": "set", "v": "x", "v": "y"}""", """{"k": "set", "v": "x", "ex": 5, "ex": 6}""",
        """{"k": "set", "\u006b": "set", "v": "x"}""",
        // expiry
        """{"k": "set", "v": "x", "ex": 0}""", """{"k": "set", "v": "x", "ex": -1}""", """{"k": "set", "v": "x", "ex": 1.5}""", """{"k": "set", "v": "x", "ex": "5"}""",
        """{"k": "set", "v": "x", "ex": null}""", """{"k": "set", "v": "x", "ex": true}""", """{"k": "set", "v": "x", "ex": []}""", """{"k": "set", "v": "x", "ex": 1e99}""",
        """{"k": "set", "v": "x", "ex": 9223372036854775807}""", """{"k": "set", "v": "x", "ex": 99999999999999999999999}""", """{"k": "set", "v": "x", "ex": 9223372036854776}""",
        """{"k": "set", "v": "x", "px": 0}""", """{"k": "set", "v": "x", "px": -1}""", """{"k": "set", "v": "x", "px": 0.5}""", """{"k": "set", "v": "x", "px": "5"}""",
        """{"k": "set", "v": "x", "px": 9223372036854775807}""", """{"k": "set", "v": "x", "ex": 5, "px": 5000}""",
        // deep
        $$"""{"k": "set", "v": {{new string('[', 10_000)}}{{new string(']', 10_000)}}}""", new string('[', 10_000), string.Concat(Enumerable.Repeat("{\"k\":", 10_000)));

    private RunningGateway Gateway => fixture.Gateway;

    [SkippableTheory]
    [MemberData(nameof(BadBodies))]
    public async Task BadBodyIsRefusedAndChangesNothing(string body)
    {
        await Gateway.Redis.StringSetAsync("set", "before");
        var writes = await Gateway.CallsAsync("set");

        foreach (var path in new[] { "/", "/set" })
        {
            var answer = await Gateway.SendAsync("POST", path, Encoding.Latin1.GetBytes(body));
            Assert.Equal((400, "application/problem+json"), (answer.Status, answer["Content-Type"]));
        }

        Assert.Equal("before", (string?)await Gateway.Redis.StringGetAsync("set"));
        Assert.Equal(writes, await Gateway.CallsAsync("set"));
    }

    [SkippableTheory]
    [InlineData("\"x\"", "x")]
    [InlineData("\"\"", "")]
    [InlineData("\"1\"", "1")]
    [InlineData("\"\\u0041\\n\\\"\\\\\\/\\u0000\"", "A\n\"\\/\0")]
    [InlineData("\"\\ud83d\\ude00\"", "😀")]
    [InlineData("\"é😀\u2028\"", "é😀\u2028")]
    [InlineData("1", "1")]
    [InlineData("0", "0")]
    [InlineData("-0", "-0")]
    [InlineData("1.10", "1.10")]
    [InlineData("1e400", "1e400")]
    [InlineData("1E+2", "1E+2")]
    [InlineData("-1.5e-3", "-1.5e-3")]
    [InlineData("12345678901234567890", "12345678901234567890")]
    [InlineData("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827")]
    public async Task ValueIsWrittenToTheLetter(string json, string value)
    {
        foreach (var path in new[] { "/", "/set", "/set?k=other" })
        {
            await Gateway.Redis.KeyDeleteAsync("letter");
            var answer = await Gateway.PostAsync(path, $$"""{"k": "letter", "v": {{json}}}""");

            Assert.Equal((200, "application/json", """{"result": "OK"}"""), (answer.Status, answer["Content-Type"], answer.Text));
            Assert.Equal(value, (string?)await Gateway.Redis.StringGetAsync("letter"));
            Assert.Equal(value, Encoding.UTF8.GetString((await Gateway.ReadAsync("/get/letter")).Value));
        }
    }

    [SkippableTheory]
    [InlineData("Content-Type: application/json")]
    [InlineData("Content-Type: application/x-www-form-urlencoded")]
    [InlineData("Content-Type: text/plain")]
    [InlineData("Content-Type: multipart/form-data; boundary=x")]
    [InlineData("Content-Type: rubbish")]
    [InlineData("Content-Type:")]
    [InlineData("X-None: 1")]
    public async Task ContentTypeIsNotChecked(string header)
    {
        Assert.Equal(200, (await Gateway.PostAsync("/set", """{"v": "x", "k": "typed", "more": [{}]}""", header)).Status);
        Assert.Equal(200, (await Gateway.PostAsync("/", " \r\n\t{\"k\":\"typed\",\"v\":\"y\"} \n", header)).Status);
        Assert.Equal("y", (string?)await Gateway.Redis.StringGetAsync("typed"));
    }

    [SkippableFact]
    public async Task ExpiryIsSetInRedis()
    {
        await Gateway.PostAsync("/set", """{"k": "expiring", "v": "x", "ex": 100}""");
        Assert.InRange((await Gateway.Redis.KeyTimeToLiveAsync("expiring"))!.Value.TotalSeconds, 90, 100);
        await Gateway.PostAsync("/set", """{"k": "expiring", "v": "x", "px": 50000}""");
        Assert.InRange((await Gateway.Redis.KeyTimeToLiveAsync("expiring"))!.Value.TotalSeconds, 40, 50);
        await Gateway.PostAsync("/set", """{"k": "expiring", "v": "x"}""");
        Assert.Null(await Gateway.Redis.KeyTimeToLiveAsync("expiring"));
        Assert.Equal(200, (await Gateway.PostAsync("/set", """{"k": "expiring", "v": "x", "ex": 922337203685}""")).Status);
    }

    [SkippableFact]
    public async Task WrittenValueIsReadFromTheCache()
    {
        await Gateway.PostAsync("/set", """{"k": "after", "v": "1"}""");
        Assert.Equal("""{"value": "1", "source": "cache"}""", (await Gateway.GetAsync("/get/after")).Text);
        await Gateway.PostAsync("/", """{"k": "after", "v": "2"}""");
        Assert.Equal("""{"value": "2", "source": "cache"}""", (await Gateway.GetAsync("/get/after")).Text);
    }

    [SkippableFact]
    public async Task ShortExpiryIsTheEndOfTheCopyToo()
    {
        await Gateway.PostAsync("/set", """{"k": "brief", "v": "x", "px": 300}""");
        Assert.Equal(200, (await Gateway.GetAsync("/get/brief")).Status);
        await Task.Delay(350); // Redis keeps its own time
        Assert.Equal(404, (await Gateway.GetAsync("/get/brief")).Status);
    }

    [SkippableFact]
    public async Task ChunkedBodyIsTaken()
    {
        using var connection = await RawHttp.ConnectAsync(Gateway.Port);
        await connection.SendAsync("POST /set HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + "5\r\n{\"k\":\r\n" + "1a;x=y\r\n \"chunked\", \"v\": \"in two\"}\r\n" + "0\r\nTrailer: x\r\n\r\n");
        Assert.Equal(200, (await connection.ReceiveAsync()).Status);
        await connection.SendAsync(RawHttp.Request("GET", "/get/chunked"));
        Assert.Equal("in two"u8.ToArray(), RunningGateway.Parse(await connection.ReceiveAsync()).Value);
    }

    [SkippableTheory]
    [InlineData("POST", "/")]
    [InlineData("POST", "/set")]
    [InlineData("POST", "/v1/keys:batchGet")]
    [InlineData("PUT", "/v1/keys/lengthless")]
    public async Task BodyWithoutALengthIsRefused(string method, string target)
    {
        var answer = await Gateway.SendAsync(method, target, null);

        Assert.Equal((411, "application/problem+json"), (answer.Status, answer["Content-Type"]));
        Assert.False(await Gateway.Redis.KeyExistsAsync("lengthless"));
    }
}
