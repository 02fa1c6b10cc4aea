using System.Text.Json;
using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Near;

/// <summary>Often-asked keys are answered at the gateway, and no longer than is true.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class NearReadTests(ClusterFixture cluster, ITestOutputHelper output) : IDisposable
{
    public void Dispose() => output.WriteLine(cluster.TakeReport());

    [SkippableFact]
    public async Task OftenAskedKeyIsAnsweredAtTheGatewayUntilItChanges()
    {
        await cluster.WholeAsync();
        using var asking = new Client(cluster.Ports[0]);
        using var writing = new Client(cluster.Ports[1]);
        await writing.PutAsync("near", "first");
        await CopiedAsync(asking, "near", "first");

        var (near, nodes) = (await NearHitsAsync(), await NodesAsync("hits"));
        Assert.All(await asking.RepeatAsync(50, "near"), reply => Assert.Equal((200, "first", "HIT"), (reply.Status, reply.Body, reply.Cache)));
        Assert.Equal(near + 50, await NearHitsAsync());
        Assert.Equal(nodes, await NodesAsync("hits"));

        Assert.Equal(204, (await writing.PutAsync("near", "second")).Status);
        Assert.Equal("second", (await asking.GetAsync("near")).Body);

        await CopiedAsync(asking, "near", "second");
        await cluster.Data.CommandAsync("SET", "near", "third");
        await Eventually.TrueAsync(async () => (await asking.GetAsync("near")).Body == "third", TimeSpan.FromSeconds(0.5), "what others write is seen");
    }

    [SkippableFact]
    public async Task GatewayThatHangsHoldsUpAWriteForItsLeaseAndServesNothingOfBeforeWhenItWakes()
    {
        await cluster.WholeAsync();
        using var asking = new Client(cluster.Ports[0]);
        using var writing = new Client(cluster.Ports[1]);
        await writing.PutAsync("lease", "before");
        await CopiedAsync(asking, "lease", "before");

        cluster.Gateways[0].Pause();
        Reply written;
        try
        {
            written = await writing.PutAsync("lease", "after");
        }
        finally
        {
            cluster.Gateways[0].Resume();
        }

        output.WriteLine($"the write took {written.Took.TotalMilliseconds:F0} ms");
        Assert.Equal(204, written.Status);
        Assert.InRange(written.Took.TotalSeconds, 0.2, 0.7); // COHERENCE_BOUND is 0.5 s
        Assert.Equal("after", (await asking.GetAsync("lease")).Body);
    }

    [SkippableFact]
    public async Task WhileRedisHangsGatewaysAnswerFromTheirCopiesMarkedAsUnconfirmed()
    {
        await cluster.WholeAsync();
        using var asking = new Client(cluster.Ports[0]);
        await asking.PutAsync("ill", "held");
        await CopiedAsync(asking, "ill", "held");

        cluster.Data.Pause();
        try
        {
            await CopiedAsync(asking, "ill", "held", "STALE");

            var (near, nodes) = (await NearAsync("stale"), await NodesAsync("staleAnswers"));
            Assert.All(await asking.RepeatAsync(50, "ill"), reply => Assert.Equal((200, "held", "STALE"), (reply.Status, reply.Body, reply.Cache)));
            Assert.Equal((near + 50, nodes), (await NearAsync("stale"), await NodesAsync("staleAnswers")));
            Assert.Equal("rporleans; fwd=stale; detail=unconfirmed", (await asking.GetAsync("ill")).CacheStatus);
        }
        finally
        {
            cluster.Data.Resume();
        }

        await Eventually.TrueAsync(async () => (await asking.GetAsync("ill")).Cache == "HIT", TimeSpan.FromSeconds(5), "Redis has confirmed it");
        await cluster.Data.CommandAsync("SET", "ill", "changed");
        await Eventually.TrueAsync(async () => (await asking.GetAsync("ill")).Body == "changed", TimeSpan.FromSeconds(0.5), "what others write is seen");
    }

    /// <summary>Asks until the gateway answers by itself.</summary>
    private async Task CopiedAsync(Client client, string key, string value, string cache = "HIT")
    {
        await Eventually.TrueAsync(
            async () =>
            {
                var before = await NearHitsAsync();
                var reply = await client.GetAsync(key);
                if (cache == "STALE" && reply.Status is 503 or 504)
                {
                    return false; // it has not been found out yet that Redis is ill
                }

                Assert.Equal((200, value), (reply.Status, reply.Body));
                return reply.Cache == cache && await NearHitsAsync() > before;
            },
            TimeSpan.FromSeconds(5),
            "there is a copy");
    }

    private Task<long> NearHitsAsync() => NearAsync("hits");

    private async Task<long> NearAsync(string figure)
    {
        var (_, stats) = await cluster.Gateways[0].AdminAsync("/stats");
        using var json = JsonDocument.Parse(stats);
        return json.RootElement.GetProperty("gateway").GetProperty("near").GetProperty(figure).GetInt64();
    }

    private async Task<long> NodesAsync(string figure) => (await cluster.Gateways[0].NodesAsync()).Sum(node => node.GetProperty(figure).GetInt64());
}
