using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Coherence;

/// <summary>The rule in docs/operations.md, given to a real Redis.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class AclTests(ITestOutputHelper output)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    [SkippableFact]
    public async Task TheRuleInTheDocsSuffices()
    {
        var rule = (await File.ReadAllLinesAsync(Docs("operations.md"))).Single(line => line.StartsWith("ACL SETUSER", StringComparison.Ordinal)).Split(' ');
        await using var redis = await RedisServer.StartAsync();
        Assert.Equal("+OK", await redis.CommandAsync(rule));
        await redis.CommandAsync("ACL", "LOG", "RESET");
        await using var node = await AllInOne.StartAsync(
            redis.Port, ("REDIS_USER", "rporleans"), ("REDIS_PASSWORD", "password"), ("COHERENCE", "tracking"), ("TOUCH_SAMPLE", "1"), ("MAX_VALUE_BYTES", "100"));
        await node.Process.ReadyAsync(_patience);

        Assert.Equal(204, (await node.Client.PutAsync("key", "old")).Status);
        await Eventually.TrueAsync(async () => (await node.Client.GetAsync("key")).Cache == "HIT", _patience, "the key is held");
        await redis.CommandAsync("SET", "key", "new");
        await Eventually.TrueAsync(async () => (await node.Client.GetAsync("key")).Body == "new", TimeSpan.FromMilliseconds(250), "the change is seen");
        await redis.CommandAsync("SET", "empty", "");
        Assert.Equal(200, (await node.Client.GetAsync("empty")).Status); // asked in a transaction
        await redis.CommandAsync("SET", "large", new string('x', 200));
        Assert.Equal(200, (await node.Client.GetAsync("large")).Body.Length);
        await Eventually.TrueAsync(
            async () => await node.Process.NodesAsync() is [var figures] && figures.TryGetProperty("trackingTableLimit", out _) && figures.GetProperty("touches").GetInt64() > 0,
            _patience,
            "the limit is known, and keys are touched");
        Assert.Equal("*0", await redis.CommandAsync("ACL", "LOG")); // nothing was refused
        output.WriteLine(node.Process.TakeReport());
    }

    private static string Docs(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "RpOrleans.sln")))
            {
                return Path.Combine(folder.FullName, "docs", name);
            }
        }

        throw new FileNotFoundException(name);
    }
}
