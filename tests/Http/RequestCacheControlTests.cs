using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>What a request's <c>Cache-Control</c> asks for is done (RFC 9111, section 5.2.1).</summary>
[Collection(GatewayCollection.Name)]
public class RequestCacheControlTests(GatewayFixture fixture)
{
    private RunningGateway Gateway => fixture.Gateway;

    [SkippableTheory]
    [InlineData("no-cache")]
    [InlineData("No-Cache")]
    [InlineData("no-cache, max-age=100")]
    [InlineData("unknown, no-cache")]
    [InlineData("no-transform\r\nCache-Control: no-cache")]
    public async Task NoCacheReadsRedisAndRefreshes(string directive)
    {
        await ChangedBehindTheCacheAsync("refreshed");

        var answer = await Gateway.GetAsync("/get/refreshed", $"Cache-Control: {directive}");

        Assert.Equal("""{"value": "new", "source": "redis"}""", answer.Text);
        Assert.Equal(("MISS", "rporleans; fwd=request; stored"), (answer["X-Cache"], answer["Cache-Status"]));
        Assert.Equal("""{"value": "new", "source": "cache"}""", (await Gateway.GetAsync("/get/refreshed")).Text);
    }

    [SkippableFact]
    public async Task NoStoreReadsRedisAndKeepsNothing()
    {
        await Gateway.Redis.StringSetAsync("passed", "v");

        for (var i = 0; i < 2; i++)
        {
            var answer = await Gateway.GetAsync("/get/passed", "Cache-Control: no-store");
            Assert.Equal("""{"value": "v", "source": "redis"}""", answer.Text);
            Assert.Equal(("BYPASS", "rporleans; fwd=request"), (answer["X-Cache"], answer["Cache-Status"]));
        }

        Assert.Equal("redis", (await Gateway.ReadAsync("/get/passed")).Source);
    }

    [SkippableFact]
    public async Task ReadsDoNotGoBackwardsAfterNoStore()
    {
        await ChangedBehindTheCacheAsync("forwards");

        Assert.Equal("new"u8.ToArray(), (await Gateway.ReadAsync("/get/forwards", "Cache-Control: no-store")).Value);
        Assert.Equal("new"u8.ToArray(), (await Gateway.ReadAsync("/get/forwards")).Value);
    }

    [SkippableFact]
    public async Task NoCacheOfAKeyThatIsGoneForgetsIt()
    {
        await Gateway.SendAsync("PUT", "/v1/keys/gone", "v"u8.ToArray());
        await Gateway.Redis.KeyDeleteAsync("gone");

        Assert.Equal(404, (await Gateway.GetAsync("/get/gone", "Cache-Control: no-cache")).Status);
        Assert.Equal(404, (await Gateway.GetAsync("/get/gone")).Status);
    }

    [SkippableFact]
    public async Task MaxAgeRefusesOlderCopies()
    {
        await ChangedBehindTheCacheAsync("aged");

        Assert.Equal("""{"value": "old", "source": "cache"}""", (await Gateway.GetAsync("/get/aged", "Cache-Control: max-age=30")).Text);
        await Task.Delay(20); // an age of more than 0 ms, the one time that a real clock must tick
        Assert.Equal("""{"value": "new", "source": "redis"}""", (await Gateway.GetAsync("/get/aged", "Cache-Control: max-age=0")).Text);
        Assert.Equal("""{"value": "new", "source": "cache"}""", (await Gateway.GetAsync("/get/aged")).Text);
    }

    [SkippableFact]
    public async Task MinFreshRefusesCopiesThatExpireSooner()
    {
        await ChangedBehindTheCacheAsync("freshened");

        Assert.Equal("""{"value": "old", "source": "cache"}""", (await Gateway.GetAsync("/get/freshened", "Cache-Control: min-fresh=30")).Text);
        var answer = await Gateway.GetAsync("/get/freshened", "Cache-Control: min-fresh=61");
        Assert.Equal("""{"value": "new", "source": "redis"}""", answer.Text);
        Assert.Equal("rporleans; fwd=request; stored", answer["Cache-Status"]);
        Assert.Equal(504, (await Gateway.GetAsync("/get/freshened", "Cache-Control: only-if-cached, min-fresh=61")).Status);
    }

    [SkippableFact]
    public async Task DirectiveThatIsMalformedDoesNotHideTheOthers()
    {
        await ChangedBehindTheCacheAsync("unhidden");

        Assert.Equal("redis", (await Gateway.ReadAsync("/get/unhidden", "Cache-Control: max-age=abc, no-cache")).Source);
    }

    [SkippableFact]
    public async Task OnlyIfCachedDoesNotAskRedis()
    {
        await Gateway.Redis.StringSetAsync("held", "v");
        var reads = await Gateway.CallsAsync("getrange");

        foreach (var directives in new[] { "only-if-cached", "only-if-cached, max-age=5", "only-if-cached, no-cache" })
        {
            var answer = await Gateway.GetAsync("/get/held", $"Cache-Control: {directives}");
            Assert.Equal((504, "application/problem+json"), (answer.Status, answer["Content-Type"]));
        }

        Assert.Equal(reads, await Gateway.CallsAsync("getrange"));
        await Gateway.GetAsync("/get/held");
        Assert.Equal("cache", (await Gateway.ReadAsync("/get/held", "Cache-Control: only-if-cached")).Source);
    }

    [SkippableTheory]
    [InlineData("")]
    [InlineData("rubbish")]
    [InlineData("max-age=abc")]
    [InlineData("max-age=-1")]
    [InlineData("max-age=99999999999999999999")]
    [InlineData("max-age")]
    [InlineData("@@@")]
    [InlineData("x=\"no-cache\"")]
    [InlineData("no-cached")]
    public async Task WhatIsMalformedOrUnknownIsIgnored(string directives)
    {
        await ChangedBehindTheCacheAsync("ignored");

        Assert.Equal("""{"value": "old", "source": "cache"}""", (await Gateway.GetAsync("/get/ignored", $"Cache-Control: {directives}")).Text);
    }

    private async Task ChangedBehindTheCacheAsync(string key)
    {
        Assert.Equal(204, (await Gateway.SendAsync("PUT", $"/v1/keys/{key}", "old"u8.ToArray())).Status);
        await Gateway.Redis.StringSetAsync(key, "new");
    }
}
