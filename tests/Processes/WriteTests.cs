using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Processes;

/// <summary>Writes through one gateway and reads through the other.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class WriteTests(ClusterFixture cluster, ITestOutputHelper output) : IDisposable
{
    /// <summary>No write is answered later than this, whatever fails: a read's time, and the half second that coherence may take.</summary>
    private static readonly TimeSpan _latest = TimeSpan.FromMilliseconds(1_550);

    public void Dispose() => output.WriteLine(cluster.TakeReport());

    [SkippableFact]
    public async Task WriteThroughOneGatewayIsReadThroughTheOtherAtOnce()
    {
        await cluster.WholeAsync();
        using var writing = new Client(cluster.Ports[0]);
        using var reading = new Client(cluster.Ports[1]);
        for (var i = 0; i < 200; i++)
        {
            await writing.PutAsync($"warming:{i}", "up"); // so that what is measured is not the compiler
            await reading.GetAsync($"warming:{i}");
        }

        var random = new Random(1);
        for (var i = 0; i < 1_000; i++)
        {
            var key = $"write:{random.Next(100)}";
            Assert.Equal(204, (await writing.PutAsync(key, $"version {i}")).Status);
            var read = await reading.GetAsync(key);
            Assert.Equal((200, $"version {i}"), (read.Status, read.Body));
        }
    }

    [SkippableFact]
    public async Task NoAcknowledgedWriteIsLostWhileASiloIsKilled()
    {
        await cluster.WholeAsync();
        var outcomes = new ConcurrentBag<(int Status, TimeSpan Took)>();
        using var stopping = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 8).Select(number => Task.Run(() => WriteAsync(number, outcomes, stopping.Token))).ToList();
        await WrittenAsync(1_000);

        cluster.Silos[0].KillNow();
        await WrittenAsync(2_000);
        await cluster.ReviveAsync(cluster.Silos[0]);
        await WrittenAsync(1_000);
        await stopping.CancelAsync();
        var parts = await Task.WhenAll(writers);

        var stale = parts.SelectMany(part => part.Stale).ToList();
        var lost = new List<string>();
        foreach (var (key, (acknowledged, attempted)) in parts.SelectMany(part => part.Versions))
        {
            _ = int.TryParse(await cluster.Data.CommandAsync("GET", key), NumberStyles.None, CultureInfo.InvariantCulture, out var kept); // 0 for none
            if (kept < acknowledged || kept > attempted)
            {
                lost.Add($"{key}: {kept}, acknowledged {acknowledged}");
            }
        }

        var statuses = outcomes.GroupBy(outcome => outcome.Status).Select(group => $"{group.Count()} × {group.Key}");
        output.WriteLine($"{string.Join(", ", statuses)}; worst {outcomes.Max(outcome => outcome.Took).TotalMilliseconds:F0} ms; {stale.Count} stale reads after a write");
        Assert.Empty(lost);
        Assert.Empty(stale);
        Assert.All(outcomes, outcome => Assert.Contains(outcome.Status, new[] { 204, 503, 504 }));
        Assert.All(outcomes, outcome => Assert.InRange(outcome.Took, TimeSpan.Zero, _latest));

        Task WrittenAsync(int more)
        {
            var until = outcomes.Count + more;
            return Eventually.TrueAsync(() => Task.FromResult(outcomes.Count >= until), TimeSpan.FromSeconds(30), $"{more} more writes");
        }
    }

    /// <summary>Writes ever higher versions of keys of its own through one gateway, and reads each through the other.</summary>
    private async Task<(Dictionary<string, (int Acknowledged, int Attempted)> Versions, List<string> Stale)> WriteAsync(
        int number, ConcurrentBag<(int Status, TimeSpan Took)> outcomes, CancellationToken stopping)
    {
        using var writing = new Client(cluster.Ports[number % 2]);
        using var reading = new Client(cluster.Ports[(number + 1) % 2]);
        var versions = new Dictionary<string, (int Acknowledged, int Attempted)>();
        var stale = new List<string>();
        for (var version = 1; !stopping.IsCancellationRequested; version++)
        {
            var key = $"writer{number}:{version % 20}";
            var written = await writing.PutAsync(key, version.ToString(CultureInfo.InvariantCulture));
            outcomes.Add((written.Status, written.Took));
            var acknowledged = written.Status == 204 ? version : versions.GetValueOrDefault(key).Acknowledged;
            versions[key] = (acknowledged, version);
            var read = await reading.GetAsync(key);
            if (read.Status == 404 ? acknowledged > 0 : read.Status == 200 && int.Parse(read.Body, CultureInfo.InvariantCulture) < acknowledged)
            {
                stale.Add($"{key}: {read.Status} {read.Body} after {acknowledged}");
            }

            await Task.Delay(2, CancellationToken.None);
        }

        return (versions, stale);
    }
}
