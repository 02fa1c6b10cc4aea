using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Processes;

/// <summary>Programs that are told to stop before they have started.</summary>
[Collection(ProcessesCollection.Name)]
[Trait(Beside.Name, Beside.Others)]
public sealed class StopWhileStartingTests
{
    private const int KilledByTerm = 128 + 15; // before anybody had asked to be told

    [SkippableTheory]
    [InlineData("a silo")]
    [InlineData("a gateway")]
    [InlineData("one process")]
    public async Task EndsInOrder(string what)
    {
        await using var redis = await RedisServer.StartAsync();
        var settings = new Dictionary<string, string> { ["REDIS_HOST"] = "127.0.0.1", ["REDIS_PORT"] = $"{redis.Port}" };
        if (what != "one process")
        {
            settings["CLUSTERING"] = "redis";
            settings["MEMBERSHIP_REDIS"] = $"127.0.0.1:{redis.Port}";
        }

        for (var milliseconds = 200; milliseconds <= 1_400; milliseconds += 300)
        {
            await using var node = what == "a silo" ? await NodeProcess.StartSiloAsync(settings) : await NodeProcess.StartGatewayAsync(settings);
            await Task.Delay(milliseconds); // somewhere on its way
            node.Term();

            Assert.True(await node.EndsWithinAsync(TimeSpan.FromSeconds(25)));
            Assert.True(node.ExitCode is 0 or KilledByTerm, $"{node.ExitCode} after {milliseconds} ms:\n{node.Output}");
            Assert.DoesNotContain("Unhandled exception", node.Output);
        }
    }
}
