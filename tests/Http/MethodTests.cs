using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>Which methods are allowed where, and that nothing else counts as one.</summary>
[Collection(GatewayCollection.Name)]
public class MethodTests(GatewayFixture fixture)
{
    private static readonly string[] _methods =
    [
        "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "Get", "head", "put", "delete", "post", "PROPFIND", "PURGE", "QUERY", "G", "GETT",
    ];

    private RunningGateway Gateway => fixture.Gateway;

    [SkippableTheory]
    [InlineData("/", "GET, HEAD, POST")]
    [InlineData("/set", "POST")]
    [InlineData("/get/method", "GET, HEAD")]
    [InlineData("/v1/keys/method", "GET, HEAD, PUT, DELETE")]
    [InlineData("/v1/keys:batchGet", "POST")]
    [InlineData("/set?x=y", "POST")]
    public async Task OtherMethodsAreNotAllowed(string target, string allowed)
    {
        await Gateway.Redis.StringSetAsync("method", "v");
        foreach (var method in _methods.Except(allowed.Split(", ")))
        {
            foreach (var body in new[] { null, "{\"k\": \"method\", \"v\": \"x\"}"u8.ToArray() })
            {
                if (method == "TRACE" && body is not null)
                {
                    continue; // has none
                }

                var answer = await Gateway.SendAsync(method, target, body);
                Assert.Equal((method, 405, allowed), (method, answer.Status, answer["Allow"]));
                Assert.Equal(method == "HEAD" ? null : "application/problem+json", method == "HEAD" ? null : answer["Content-Type"]);
            }
        }

        Assert.Equal("v", (string?)await Gateway.Redis.StringGetAsync("method"));
    }

    [SkippableTheory]
    [InlineData("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n")]
    [InlineData("CONNECT /get/method HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n")]
    [InlineData("GET * HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    [InlineData("GET localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n")]
    public async Task ConnectAndItsTargetsAreNotAllowed(string request)
    {
        var (answer, _) = await RawHttp.AskAsync(Gateway.Port, System.Text.Encoding.ASCII.GetBytes(request));

        Assert.Contains(answer!.Status, new[] { 405, 400 });
    }

    [SkippableTheory]
    [InlineData("X-HTTP-Method-Override: DELETE")]
    [InlineData("X-HTTP-Method: DELETE")]
    [InlineData("X-Method-Override: DELETE")]
    [InlineData("_method: DELETE")]
    public async Task MethodOverridesAreIgnored(string header)
    {
        await Gateway.Redis.StringSetAsync("overridden", "v");

        Assert.Equal(200, (await Gateway.GetAsync("/v1/keys/overridden?_method=DELETE", header)).Status);
        Assert.Equal(405, (await Gateway.PostAsync("/v1/keys/overridden?_method=DELETE", "_method=DELETE", header)).Status);
        Assert.Equal("v", (string?)await Gateway.Redis.StringGetAsync("overridden"));
    }

    [SkippableFact]
    public async Task OldVersionsOfHttpAreServedAsTheyWere()
    {
        await Gateway.Redis.StringSetAsync("old http", "v");

        var (answer, closed) = await RawHttp.AskAsync(Gateway.Port, "GET /get/old%20http HTTP/1.0\r\n\r\n"u8.ToArray());

        Assert.Equal((200, true), (answer!.Status, closed));
        Assert.NotNull(answer["Content-Length"]);
    }
}
