using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>Request targets that name no key, or one in a form of its own.</summary>
[Collection(GatewayCollection.Name)]
public class TargetTests(GatewayFixture fixture)
{
    private RunningGateway Gateway => fixture.Gateway;

    [SkippableTheory]
    [InlineData("/get")]
    [InlineData("/get/")]
    [InlineData("/get/?a")]
    [InlineData("/get/a/")]
    [InlineData("//get/a")]
    [InlineData("/get//a")]
    [InlineData("/get//")]
    [InlineData("/get/a/b")]
    [InlineData("/get/a//")]
    [InlineData("/get/../a")]
    [InlineData("/get/./a")]
    [InlineData("/x/../get/a")]
    [InlineData("/GET/a")]
    [InlineData("/Get/a")]
    [InlineData("/get%2Fa")]
    [InlineData("/%67et/a")]
    [InlineData("/v1")]
    [InlineData("/v1/")]
    [InlineData("/v1/keys")]
    [InlineData("/v1/keys/")]
    [InlineData("/v1/keys/a/")]
    [InlineData("/v1/keys/a/b")]
    [InlineData("//v1/keys/a")]
    [InlineData("/V1/keys/a")]
    [InlineData("/v2/keys/a")]
    [InlineData("/v1/keys:batchget")]
    [InlineData("/v1/keys:batchGet/")]
    [InlineData("/v1/keys%3AbatchGet")]
    [InlineData("/set/")]
    [InlineData("/Set")]
    [InlineData("//")]
    [InlineData("/.")]
    [InlineData("/..")]
    [InlineData("/%2F")]
    [InlineData("/livez")]
    [InlineData("/readyz")]
    [InlineData("/stats")]
    [InlineData("/favicon.ico")]
    [InlineData("/random/path")]
    public async Task UnknownPathIsNotFoundInTheOriginalsWords(string target)
    {
        foreach (var method in new[] { "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "head", "Get" })
        {
            var answer = await Gateway.SendAsync(method, target, method is "POST" or "PUT" or "PATCH" ? [] : null);
            Assert.Equal((404, "text/plain"), (answer.Status, answer["Content-Type"]));
            Assert.Equal(method == "HEAD" ? "" : "Resource not found", answer.Text);
        }
    }

    [SkippableTheory]
    [InlineData("%")]
    [InlineData("%4")]
    [InlineData("a%")]
    [InlineData("a%4")]
    [InlineData("%zz")]
    [InlineData("%4z")]
    [InlineData("%z4")]
    [InlineData("%%")]
    [InlineData("%%41")]
    [InlineData("%25%")]
    [InlineData("%u0041")]
    [InlineData("%-1")]
    [InlineData("%+1")]
    [InlineData("%0x")]
    [InlineData("%0")]
    [InlineData("%00%0")]
    [InlineData("%00%")]
    [InlineData("%00%0g")]
    [InlineData("% 41")]
    [InlineData("%\u00ff")]
    [InlineData("a\u0001b")]
    [InlineData("a\tb")]
    [InlineData("a\u007fb")]
    [InlineData("a\0b")]
    [InlineData("a\u001bb")]
    [InlineData("\u00c3\u00a9")]
    [InlineData("\u00ff")]
    [InlineData("%\u0001\u0002")]
    [InlineData("%\u0001\u0002%00")]
    [InlineData("%00%\u0001\u0002")]
    [InlineData("%00\u0001")]
    public async Task MalformedKeyIsABadRequest(string key)
    {
        foreach (var path in new[] { "/get/", "/v1/keys/" })
        {
            var (answer, _) = await RawHttp.AskAsync(Gateway.Port, RawHttp.Request("GET", path + key));
            Assert.Equal(400, answer!.Status);
        }

        await Gateway.LivesAsync();
    }

    [SkippableTheory]
    [InlineData("%zz", "PUT")]
    [InlineData("%", "DELETE")]
    public async Task MalformedKeyIsNotWritten(string key, string method)
    {
        var keys = await Gateway.CallsAsync("set") + await Gateway.CallsAsync("del");
        var answer = await Gateway.SendAsync(method, $"/v1/keys/{key}", method == "PUT" ? "x"u8.ToArray() : null);

        Assert.Equal(400, answer.Status);
        Assert.Equal("application/problem+json", answer["Content-Type"]);
        Assert.Equal(keys, await Gateway.CallsAsync("set") + await Gateway.CallsAsync("del"));
    }

    [SkippableFact]
    public async Task LongerKeyThanAllowedIsRefusedInAnyForm()
    {
        foreach (var key in new[] { new string('k', 1_025), string.Concat(Enumerable.Repeat("%6b", 1_025)), string.Concat(Enumerable.Repeat("%00", 1_025)) })
        {
            foreach (var (method, path, body) in new[] { ("GET", "/get/", null), ("HEAD", "/get/", null), ("GET", "/v1/keys/", null), ("PUT", "/v1/keys/", "x"u8.ToArray()), ("DELETE", "/v1/keys/", null) })
            {
                var answer = await Gateway.SendAsync(method, path + key, body);
                Assert.Equal((414, "application/problem+json"), (answer.Status, answer["Content-Type"]));
                Assert.DoesNotContain("kkk", answer.Text, StringComparison.Ordinal);
            }
        }

        Assert.Equal(414, (await Gateway.PostAsync("/set", $$"""{"k": "{{new string('k', 1_025)}}", "v": "x"}""")).Status);
        Assert.Equal(200, (await Gateway.PostAsync("/set", $$"""{"k": "{{new string('k', 1_024)}}", "v": "x"}""")).Status);
        Assert.Equal(414, (await Gateway.PostAsync("/set", $$"""{"k": "{{new string('é', 513)}}", "v": "x"}""")).Status); // bytes count
    }

    [SkippableFact]
    public async Task QueryIsIgnored()
    {
        await Gateway.Redis.StringSetAsync("queried", "v");

        foreach (var query in new[] { "?", "?a=b", "?%00", "?a/b", "?a?b", "?%zz", "?ex=1", "?http://x/get/y" })
        {
            Assert.Equal("v"u8.ToArray(), (await Gateway.ReadAsync($"/get/queried{query}")).Value);
            Assert.Equal("Proxy server running.", (await Gateway.GetAsync($"/{query}")).Text);
        }
    }

    [SkippableFact]
    public async Task AbsoluteFormNamesTheSameKey()
    {
        await Gateway.Redis.StringSetAsync("abs/o\0lute"u8.ToArray(), "v");

        foreach (var target in new[] { "http://localhost/get/abs%2Fo%00lute", "http://localhost/v1/keys/abs%2fo%00lute?x=%00" })
        {
            Assert.Equal("v"u8.ToArray(), (await Gateway.ReadAsync(target)).Value);
        }

        Assert.Equal("Proxy server running.", (await Gateway.GetAsync("http://localhost")).Text);
        Assert.Equal("Proxy server running.", (await Gateway.GetAsync("http://localhost/?x")).Text);
        Assert.Equal(404, (await Gateway.GetAsync("http://localhost/get/")).Status);
    }

    [SkippableFact]
    public async Task HomeSaysThatItRuns()
    {
        var answer = await Gateway.GetAsync("/");

        Assert.Equal((200, "text/plain", "Proxy server running."), (answer.Status, answer["Content-Type"], answer.Text));
    }

    [SkippableFact]
    public async Task ProblemsCarryATraceIdAndNothingOfTheRequest()
    {
        var answer = await Gateway.GetAsync("/get/secretkey%zz");

        using var json = System.Text.Json.JsonDocument.Parse(answer.Body);
        Assert.Equal(400, json.RootElement.GetProperty("status").GetInt32());
        Assert.NotEmpty(json.RootElement.GetProperty("traceId").GetString()!);
        Assert.NotEmpty(json.RootElement.GetProperty("title").GetString()!);
        Assert.DoesNotContain("secretkey", answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("secretkey", string.Concat(answer.Headers), StringComparison.Ordinal);
        Assert.Null(answer["Server"]);
    }
}
