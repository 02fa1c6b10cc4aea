using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>Often-asked keys where gateway and node share a process, and the gateway looks into the entries itself.</summary>
public class RefreshAheadTests
{
    private readonly TimeInHand _time = new();

    [SkippableFact]
    public async Task OftenAskedKeyIsReadAgainInTheBackgroundWhileItsReadersAreAnsweredFromMemory()
    {
        await using var gateway = await RunningGateway.StartAsync(_time, ("RECORD_EXPIRY", "10"), ("EXPIRY_JITTER", "0"));
        await gateway.Redis.StringSetAsync("often", "old");
        var before = await gateway.CallsAsync("getrange");
        await gateway.GetAsync("/get/often");
        await gateway.Redis.StringSetAsync("often", "new");

        _time.Advance(TimeSpan.FromSeconds(8.9));
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("""{"value": "old", "source": "cache"}""", (await gateway.GetAsync("/get/often")).Text);
        }

        Assert.Equal(before + 1, await gateway.CallsAsync("getrange"));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal("""{"value": "old", "source": "cache"}""", (await gateway.GetAsync("/get/often")).Text);
        await Eventually.TrueAsync(
            async () => (await gateway.GetAsync("/get/often")).Text == """{"value": "new", "source": "cache"}""", TimeSpan.FromSeconds(10), "the entry is read again");

        Assert.Equal(before + 2, await gateway.CallsAsync("getrange"));
    }
}
