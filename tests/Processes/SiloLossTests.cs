using System.Diagnostics;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Processes;

/// <summary>Silos that are killed, stopped and hung while sixteen readers read.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class SiloLossTests(ClusterFixture cluster, ITestOutputHelper output) : IDisposable
{
    private readonly Keys _keys = new("loss", 5_000);

    public void Dispose() => output.WriteLine(cluster.TakeReport());

    [SkippableFact]
    public async Task KilledSilosFailNoReadAfterASecond()
    {
        await cluster.WholeAsync();
        await using var load = await Load.StartAsync(cluster, _keys);
        var kills = new List<long>();
        for (var silo = 0; silo < 3; silo++)
        {
            kills.Add(Stopwatch.GetTimestamp());
            cluster.Silos[silo].KillNow();
            await load.RunAsync(TimeSpan.FromSeconds(3.5));
            await cluster.ReviveAsync(cluster.Silos[silo]);
            await load.RunAsync(TimeSpan.FromSeconds(2));
        }

        var answers = await load.StopAsync();

        output.WriteLine($"{answers}");
        var second = Answers.Ticks(TimeSpan.FromSeconds(1));
        foreach (var kill in kills)
        {
            var failed = answers.Failures.Count(answer => answer.Received >= kill && answer.Received < kill + second);
            var slow = answers.All.Count(answer => answer.Sent < kill + second && answer.Received > kill && Answers.Took(answer) > TimeSpan.FromMilliseconds(300));
            output.WriteLine($"killed {Stopwatch.GetElapsedTime(answers.All[0].Received, kill).TotalMilliseconds:F0} ms from the start: {failed} failed, {slow} took more than 300 ms, worst {answers.Worst(kill - second, kill + second).TotalMilliseconds:F0} ms; throughput back {answers.BackAfter(kill)}");
        }

        answers.AssertSound();
        Assert.Empty(answers.Failures.Where(answer => !kills.Exists(kill => answer.Received >= kill && answer.Received < kill + second)).Take(5));
        Assert.All(kills, kill => Assert.InRange(answers.BackAfter(kill)!.Value.After.TotalSeconds, 0, 2));
    }

    [SkippableFact]
    public async Task SiloToldToStopSaysSoAndLeavesWithoutAFailedRead()
    {
        await cluster.WholeAsync();
        await using var load = await Load.StartAsync(cluster, _keys);
        var silo = cluster.Silos[1];

        var told = Stopwatch.GetTimestamp();
        silo.Term();
        var notReady = await Eventually.TrueAsync(async () => (await silo.AdminAsync("/readyz")).Status == 503, TimeSpan.FromSeconds(2), "the silo says that it is not ready");
        var (status, _) = await silo.AdminAsync("/stats");
        Assert.Equal(200, status); // it is still there
        Assert.True(await silo.EndsWithinAsync(TimeSpan.FromSeconds(30)));
        var ended = Stopwatch.GetElapsedTime(told);
        await load.RunAsync(TimeSpan.FromSeconds(2));
        var answers = await load.StopAsync();

        output.WriteLine($"not ready after {notReady.TotalMilliseconds:F0} ms, ended after {ended.TotalMilliseconds:F0} ms with {silo.ExitCode}; {answers}");
        Assert.Equal(0, silo.ExitCode);
        answers.AssertSound();
        answers.AssertNoFailure();
    }

    [SkippableFact]
    public async Task HungSiloIsLeftOutWithinASecondAndServesNothingStaleWhenItWakes()
    {
        await cluster.WholeAsync();
        await using var load = await Load.StartAsync(cluster, _keys);
        var changing = new Keys("waking", 300);
        await changing.FillAsync(cluster.Data);
        await Load.WarmAsync(cluster.Ports, changing);
        using var client = new Client(cluster.Ports[0]);
        using var other = new Client(cluster.Ports[1]);
        var silo = cluster.Silos[2];

        var hung = Stopwatch.GetTimestamp();
        silo.Pause();
        await load.RunAsync(TimeSpan.FromSeconds(2));
        for (var key = 0; key < changing.Count; key++)
        {
            Assert.Equal(204, (await client.PutAsync(changing.Key(key), "new")).Status);
        }

        await load.RunAsync(TimeSpan.FromSeconds(5) - Stopwatch.GetElapsedTime(hung));
        silo.Resume();
        var woken = Stopwatch.GetTimestamp();
        var stale = 0;
        var read = 0;
        for (; Stopwatch.GetElapsedTime(woken) < TimeSpan.FromSeconds(4); read++)
        {
            var answer = await (read % 2 == 0 ? client : other).GetAsync(changing.Key(read % changing.Count));
            Assert.Equal(200, answer.Status);
            stale += answer.Body == "new" ? 0 : 1;
        }

        var answers = await load.StopAsync();

        var second = Answers.Ticks(TimeSpan.FromSeconds(1));
        output.WriteLine($"worst read of the first second {answers.Worst(hung - second, hung + second).TotalMilliseconds:F0} ms, later while hung {answers.Worst(hung + second, woken).TotalMilliseconds:F0} ms; {stale} of {read} stale after it woke; {answers}");
        Assert.Equal(0, stale);
        answers.AssertSound();
        answers.AssertNoFailure();
        Assert.InRange(answers.Worst(hung + second, woken).TotalMilliseconds, 0, 399); // a call to the hung one would wait for 400
    }

    [SkippableFact]
    public async Task SiloThatIsCutFromRedisSaysSoAndOthersReadAndWriteInItsPlace()
    {
        await cluster.WholeAsync();
        await using var wayToRedis = new FaultProxy(cluster.Data.Port, seed: 1);
        var silo = await cluster.AddSiloAsync(wayToRedis.Port);
        await cluster.SeenAsync(4);
        await using var load = await Load.StartAsync(cluster, _keys);
        var cold = new Keys("cold", 200);
        await cold.FillAsync(cluster.Data);
        using var client = new Client(cluster.Ports[0]);
        using var other = new Client(cluster.Ports[1]);

        wayToRedis.Set(ProxyFault.BlackHole);
        await Eventually.TrueAsync(async () => (await silo.AdminAsync("/readyz")).Status == 503, TimeSpan.FromSeconds(1), "the silo says that it is not ready");
        for (var key = 0; key < cold.Count; key++)
        {
            Assert.Equal(200, (await client.GetAsync(cold.Key(key))).Status);
            Assert.Equal(204, (await client.PutAsync(cold.Key(key), "new")).Status);
            Assert.Equal((200, "new"), await other.GetAsync(cold.Key(key)) is var read ? (read.Status, read.Body) : default);
        }

        Assert.True(await cluster.Gateways[0].IsReadyAsync()); // others can
        wayToRedis.Heal();
        await silo.ReadyAsync(TimeSpan.FromSeconds(3));
        var answers = await load.StopAsync();

        output.WriteLine($"{answers}");
        answers.AssertSound();
        answers.AssertNoFailure();
    }

    [SkippableFact]
    public async Task WithoutAnySiloReadsFailAtOnceAndServeAgainWithinTenSeconds()
    {
        await cluster.WholeAsync();
        await _keys.FillAsync(cluster.Data);
        Client[] clients = [.. cluster.Ports.Select(port => new Client(port))];
        foreach (var client in clients)
        {
            Assert.Equal(200, (await client.GetAsync(_keys.Key(0))).Status);
        }

        foreach (var silo in cluster.Silos)
        {
            silo.KillNow();
        }

        foreach (var client in clients)
        {
            var known = await Eventually.TrueAsync(async () => await client.GetAsync(_keys.Key(1)) is { Status: 503, Took.TotalMilliseconds: < 50 }, TimeSpan.FromSeconds(2), "the silos are known to be gone");
            var refusals = await client.RepeatAsync(20, _keys.Key(1));
            output.WriteLine($"known after {known.TotalMilliseconds:F0} ms; 503: {Client.Times(refusals)}");
            Assert.All(refusals, refusal => Assert.Equal((503, "1"), (refusal.Status, refusal.RetryAfter)));
            Assert.InRange(refusals.Min(refusal => refusal.Took).TotalMilliseconds, 0, 10);
        }

        Assert.All(await Task.WhenAll(cluster.Gateways.Select(gateway => gateway.IsReadyAsync())), Assert.False);
        var started = Stopwatch.StartNew();
        var first = await cluster.Silos[0].StartAgainAsync();
        cluster.Silos[0] = first;
        var ready = first.ReadyAsync(ClusterFixture.StartPatience);
        foreach (var client in clients)
        {
            await Eventually.TrueAsync(async () => (await client.GetAsync(_keys.Key(2))).Status == 200, ClusterFixture.StartPatience, "a gateway serves again");
        }

        var serving = started.Elapsed;
        output.WriteLine($"serving {serving.TotalMilliseconds:F0} ms after the first silo was started, ready itself {(await ready).TotalMilliseconds:F0} ms after");
        Assert.InRange(serving.TotalSeconds, 0, 10);
        foreach (var client in clients)
        {
            client.Dispose();
        }
    }
}
