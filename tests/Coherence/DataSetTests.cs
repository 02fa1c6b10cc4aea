using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Coherence;

/// <summary>A Redis that is made a replica of another, or a master, while its connections stay as they are.</summary>
[Collection(ProcessesCollection.Name)]
[Trait(Beside.Name, Beside.Others)]
public sealed class DataSetTests(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(0.5); // COHERENCE_BOUND
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private RedisServer _redis = null!;
    private RedisServer _other = null!;
    private AllInOne? _node;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _other = await RedisServer.StartAsync(null, null, "--repl-diskless-sync-delay", "0");
        await _redis.CommandAsync("SET", "key", "old");
    }

    public async Task DisposeAsync()
    {
        output.WriteLine(_node!.Process.TakeReport());
        await _node.DisposeAsync();
        await _redis.DisposeAsync();
        await _other.DisposeAsync();
    }

    [SkippableTheory]
    [InlineData("tracking", "on")]
    [InlineData("expiry", "on")]
    [InlineData("auto", "off")] // tracking is forbidden
    public async Task WhatWasReadOfTheDataSetBeforeIsNotFresh(string coherence, string tracking)
    {
        await _redis.CommandAsync("ACL", "SETUSER", "reader", "on", ">secret", "~*", "&*", "+@all", tracking == "on" ? "+client|tracking" : "-client|tracking");
        await StartAsync(("COHERENCE", coherence), ("REDIS_USER", "reader"), ("REDIS_PASSWORD", "secret"));
        await HeldAsync();
        var connections = await ConnectionsAsync();

        await _redis.CommandAsync("REPLICAOF", "127.0.0.1", $"{_other.Port}");
        await Eventually.TrueAsync(async () => await _redis.CommandAsync("GET", "key") == "$-1", _patience, "the other data set has come");

        await Task.Delay(_bound);
        Assert.Equal(404, (await _node!.Client.GetAsync("key")).Status);
        Assert.Equal(connections, await ConnectionsAsync()); // it was not the connection that told
        await Eventually.TrueAsync(() => Task.FromResult(_node.Process.Output.Contains("another data set than before")), _patience, "it is said");
        output.WriteLine($"flushes: {(await _node.Process.NodesAsync())[0].GetProperty("flushes")}");
    }

    [SkippableFact]
    public async Task ReplicaThatHearsNothingOfItsMasterConfirmsNothing()
    {
        await StartAsync();
        await HeldAsync();

        await _redis.CommandAsync("REPLICAOF", "127.0.0.1", $"{FreePort.Next()}"); // where nobody is
        await Task.Delay(_bound);
        Assert.NotEqual("HIT", (await _node!.Client.GetAsync("key")).Cache);

        await _redis.CommandAsync("REPLICAOF", "NO", "ONE");
        await HeldAsync();
    }

    [SkippableFact]
    public async Task ReplicaThatIsPromotedByHandIsWrittenToAndTold()
    {
        await _redis.CommandAsync("REPLICAOF", "127.0.0.1", $"{_other.Port}");
        await _other.CommandAsync("SET", "key", "old");
        await StartAsync();
        await HeldAsync();
        Assert.Equal(503, (await _node!.Client.PutAsync("key", "new")).Status);

        await _redis.CommandAsync("REPLICAOF", "NO", "ONE");

        await Eventually.TrueAsync(async () => (await _node.Client.PutAsync("key", "new")).Status == 204, _patience, "it is written to");
        await HeldAsync();
        await _redis.CommandAsync("SET", "key", "newer");
        await Eventually.TrueAsync(async () => (await _node.Client.GetAsync("key")).Body == "newer", TimeSpan.FromMilliseconds(250), "the change is seen");
    }

    [SkippableFact]
    public async Task CopiesOutliveAConnectionToARedisThatCannotTrackIfItIsTheSame()
    {
        await _redis.CommandAsync("ACL", "SETUSER", "reader", "on", ">secret", "~*", "&*", "+@all", "-client|tracking");
        await StartAsync(("REDIS_USER", "reader"), ("REDIS_PASSWORD", "secret"));
        await HeldAsync();
        var connections = await ConnectionsAsync();

        await _redis.CommandAsync("SET", "key", "new");
        await _redis.CommandAsync("CLIENT", "KILL", "TYPE", "normal");
        await Eventually.TrueAsync(async () => await ConnectionsAsync() > connections && await _node!.Process.IsReadyAsync(), _patience, "it is connected again");

        await Task.Delay(_bound);
        var (cache, body) = (await _node!.Client.GetAsync("key")) is var reply ? (reply.Cache, reply.Body) : default;
        Assert.Equal(("HIT", "old"), (cache, body)); // RECORD_EXPIRY is the bound
    }

    private async Task StartAsync(params (string Name, string Value)[] settings)
    {
        _node = await AllInOne.StartAsync(_redis.Port, settings);
        await _node.Process.ReadyAsync(_patience);
    }

    /// <summary>The highest number that Redis has given to one of the node's connections for commands.</summary>
    private async Task<long> ConnectionsAsync() =>
        (await _redis.CommandAsync("CLIENT", "LIST", "TYPE", "normal")).Split('\n').Where(line => line.Contains(" name=rporleans-"))
            .Select(line => long.Parse(line["id=".Length..line.IndexOf(' ')])).DefaultIfEmpty().Max();

    private Task<TimeSpan> HeldAsync() => Eventually.TrueAsync(async () => (await _node!.Client.GetAsync("key")).Cache == "HIT", _patience, "the key is held");
}
