using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary><c>PUT</c> and <c>DELETE</c> of a key.</summary>
[Collection(GatewayCollection.Name)]
public class PutAndDeleteTests(GatewayFixture fixture)
{
    private RunningGateway Gateway => fixture.Gateway;

    [SkippableTheory]
    [InlineData("?ex=100", 100)]
    [InlineData("?px=100000", 100)]
    [InlineData("?a=b&ex=100", 100)]
    [InlineData("?e%78=100", 100)]
    [InlineData("", null)]
    [InlineData("?", null)]
    [InlineData("?a=b", null)]
    public async Task ExpiryIsSetInRedis(string query, int? seconds)
    {
        var answer = await Gateway.SendAsync("PUT", $"/v1/keys/put{query}", "v"u8.ToArray());

        Assert.Equal((204, null, ""), (answer.Status, answer["Content-Type"], answer.Text));
        Assert.Equal("private, no-cache", answer["Cache-Control"]);
        var left = await Gateway.Redis.KeyTimeToLiveAsync("put");
        Assert.Equal(seconds is null, left is null);
        Assert.InRange(left?.TotalSeconds ?? 0, (seconds ?? 10) - 10, seconds ?? 0);
        Assert.Equal("cache", (await Gateway.ReadAsync("/get/put")).Source);
    }

    [SkippableTheory]
    [InlineData("?ex=0")]
    [InlineData("?ex=-1")]
    [InlineData("?ex=+1")]
    [InlineData("?ex=%2B1")]
    [InlineData("?ex=1.5")]
    [InlineData("?ex=")]
    [InlineData("?ex")]
    [InlineData("?ex=a")]
    [InlineData("?ex=%201")]
    [InlineData("?ex=1%00")]
    [InlineData("?ex=%00")]
    [InlineData("?ex=99999999999999999999")]
    [InlineData("?ex=9223372036854775807")]
    [InlineData("?px=0")]
    [InlineData("?px=1e3")]
    [InlineData("?px=9223372036854775807")]
    [InlineData("?ex=1&px=1000")]
    [InlineData("?ex=1&ex=1")]
    public async Task BadExpiryIsRefusedAndChangesNothing(string query)
    {
        await Gateway.Redis.StringSetAsync("put bad", "before");

        Assert.Equal(400, (await Gateway.SendAsync("PUT", $"/v1/keys/put%20bad{query}", "v"u8.ToArray())).Status);

        Assert.Equal("before", (string?)await Gateway.Redis.StringGetAsync("put bad"));
    }

    [SkippableFact]
    public async Task OnlyAnAbsentKeyIsWrittenIfThatIsAskedFor()
    {
        const string OnlyIfAbsent = "If-None-Match: *";
        Assert.Equal(204, (await Gateway.SendAsync("PUT", "/v1/keys/once?ex=100", "first"u8.ToArray(), OnlyIfAbsent)).Status);

        var second = await Gateway.SendAsync("PUT", "/v1/keys/once", "second"u8.ToArray(), OnlyIfAbsent);

        Assert.Equal((412, "application/problem+json"), (second.Status, second["Content-Type"]));
        Assert.Equal("first"u8.ToArray(), (await Gateway.ReadAsync("/get/once")).Value);
        Assert.NotNull(await Gateway.Redis.KeyTimeToLiveAsync("once"));
        await Gateway.SendAsync("DELETE", "/v1/keys/once", null);
        Assert.Equal(204, (await Gateway.SendAsync("PUT", "/v1/keys/once", "third"u8.ToArray(), OnlyIfAbsent)).Status);
    }

    [SkippableFact]
    public async Task FailedConditionDoesNotHideWhatIsThere()
    {
        await Gateway.SendAsync("PUT", "/v1/keys/kept", "old"u8.ToArray());
        await Gateway.Redis.StringSetAsync("kept", "new");

        Assert.Equal(412, (await Gateway.SendAsync("PUT", "/v1/keys/kept", "other"u8.ToArray(), "If-None-Match: *")).Status);

        Assert.Equal("new"u8.ToArray(), (await Gateway.ReadAsync("/get/kept")).Value);
    }

    [SkippableTheory]
    [InlineData("If-None-Match: \"x\"")]
    [InlineData("If-Match: *")]
    [InlineData("If-Match: \"x\"")]
    [InlineData("Content-Range: bytes 0-0/5")]
    public async Task ConditionThatCannotBeKeptIsRefused(string header)
    {
        Assert.Equal(400, (await Gateway.SendAsync("PUT", "/v1/keys/conditional", "v"u8.ToArray(), header)).Status);
        Assert.False(await Gateway.Redis.KeyExistsAsync("conditional"));
    }

    [SkippableFact]
    public async Task DeletingIsDoneWhetherOrNotItWasThere()
    {
        await Gateway.SendAsync("PUT", "/v1/keys/deleted", "v"u8.ToArray());

        for (var i = 0; i < 2; i++)
        {
            var answer = await Gateway.SendAsync("DELETE", "/v1/keys/deleted", null);
            Assert.Equal((204, ""), (answer.Status, answer.Text));
            Assert.Equal(404, (await Gateway.GetAsync("/get/deleted")).Status);
        }

        Assert.False(await Gateway.Redis.KeyExistsAsync("deleted"));
    }

    [SkippableFact]
    public async Task WriteReplacesAnyType()
    {
        await Gateway.Redis.ListLeftPushAsync("replaced", "a");

        Assert.Equal(204, (await Gateway.SendAsync("PUT", "/v1/keys/replaced", "v"u8.ToArray())).Status);
        Assert.Equal("v", (string?)await Gateway.Redis.StringGetAsync("replaced"));
        await Gateway.Redis.KeyDeleteAsync("replaced");
        await Gateway.Redis.ListLeftPushAsync("replaced", "a");
        Assert.Equal(204, (await Gateway.SendAsync("DELETE", "/v1/keys/replaced", null)).Status);
        Assert.Equal(404, (await Gateway.GetAsync("/get/replaced")).Status);
    }

    [SkippableFact]
    public async Task EveryReadAfterAWriteSeesIt()
    {
        for (var i = 0; i < 100; i++)
        {
            var value = System.Text.Encoding.ASCII.GetBytes($"{i}");
            Assert.Equal(204, (await Gateway.SendAsync("PUT", "/v1/keys/counted", value)).Status);
            var reads = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Gateway.ReadAsync("/get/counted")));
            Assert.All(reads, read => Assert.Equal(value, read.Value));
        }
    }
}
