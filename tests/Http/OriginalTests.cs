using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>The tests that came with the original, with its sizes; the clock is held in the hand.</summary>
public class OriginalTests
{
    private readonly TimeInHand _time = new();

    [SkippableFact]
    public async Task HomeRandomPathAndRubbishKeyAreAnsweredAsTheyWere()
    {
        await using var gateway = await StartAsync();

        Assert.Equal((200, "Proxy server running."), await AskAsync(gateway, "/"));
        Assert.Equal((404, "Resource not found"), await AskAsync(gateway, "/random/path"));
        Assert.Equal((404, "key was not found"), await AskAsync(gateway, "/get/rubbish"));
    }

    [SkippableFact]
    public async Task SecondReadComesFromTheCacheUntilItExpires()
    {
        await using var gateway = await StartAsync();
        await gateway.Redis.StringSetAsync("key", "value");

        Assert.Equal((200, """{"value": "value", "source": "redis"}"""), await AskAsync(gateway, "/get/key"));
        Assert.Equal((200, """{"value": "value", "source": "cache"}"""), await AskAsync(gateway, "/get/key"));
        _time.Advance(TimeSpan.FromSeconds(9));
        var hit = await gateway.GetAsync("/get/key");
        Assert.Equal(("""{"value": "value", "source": "cache"}""", "9"), (hit.Text, hit["Age"]));
        await gateway.Redis.StringSetAsync("key", "changed");
        _time.Advance(TimeSpan.FromSeconds(1.01));
        Assert.Equal((200, """{"value": "changed", "source": "redis"}"""), await AskAsync(gateway, "/get/key"));
        Assert.Equal((200, """{"value": "changed", "source": "cache"}"""), await AskAsync(gateway, "/get/key"));
    }

    [SkippableFact]
    public async Task SixthKeyTakesThePlaceOfTheOneUsedLongestAgo()
    {
        await using var gateway = await StartAsync();
        for (var i = 1; i <= 6; i++)
        {
            await gateway.Redis.StringSetAsync($"key{i}", $"{i}");
        }

        for (var i = 1; i <= 5; i++)
        {
            Assert.Equal((200, $$"""{"value": "{{i}}", "source": "redis"}"""), await AskAsync(gateway, $"/get/key{i}"));
        }

        for (var i = 1; i <= 5; i++)
        {
            Assert.Equal((200, $$"""{"value": "{{i}}", "source": "cache"}"""), await AskAsync(gateway, $"/get/key{i}"));
        }

        Assert.Equal((200, """{"value": "6", "source": "redis"}"""), await AskAsync(gateway, "/get/key6"));
        for (var i = 2; i <= 6; i++)
        {
            Assert.Equal((200, $$"""{"value": "{{i}}", "source": "cache"}"""), await AskAsync(gateway, $"/get/key{i}"));
        }

        Assert.Equal((200, """{"value": "1", "source": "redis"}"""), await AskAsync(gateway, "/get/key1"));
    }

    private Task<RunningGateway> StartAsync() => RunningGateway.StartAsync(_time, ("RECORD_CAPACITY", "5"), ("RECORD_EXPIRY", "10"));

    private static async Task<(int Status, string Text)> AskAsync(RunningGateway gateway, string target)
    {
        var answer = await gateway.GetAsync(target);
        return (answer.Status, answer.Text);
    }
}
