using System.Globalization;
using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Resp;

/// <summary>What the gateway lets through with <c>RESP_ALLOW_ADMIN=true</c>.</summary>
[Collection(ProcessesCollection.Name)]
[Trait(Beside.Name, Beside.Others)]
public sealed class AdministratorTests(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private RedisServer _redis = null!;
    private AllInOne _gateway = null!;
    private RespSocket _client = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _gateway = await AllInOne.StartAsync(_redis.Port, ("RESP_ALLOW_ADMIN", "true"));
        await _gateway.Process.ReadyAsync(_patience);
        _client = await ConnectAsync();
    }

    public async Task DisposeAsync()
    {
        output.WriteLine(_gateway.Process.TakeReport());
        _client.Dispose();
        await _gateway.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [SkippableFact]
    public async Task MonitorIsShownWhatGoesOnUntilItResets()
    {
        await SaysAsync("+OK\r\n", "MONITOR");
        await _redis.CommandAsync("ECHO", "something goes on");
        Assert.EndsWith("something goes on", await ReceiveUntilAsync("something goes on"));

        await _client.SendAsync(RespSocket.Command("RESET"));
        Assert.EndsWith("+RESET\r\n", await ReceiveUntilAsync("+RESET\r\n"));

        await SaysAsync("+OK\r\n", "SET", "key", "value");
        await SaysAsync("$5\r\nvalue\r\n", "GET", "key");
        Assert.Equal("HIT", (await _gateway.Client.GetAsync("key")).Cache); // the cache answers it again
    }

    [SkippableFact]
    public async Task ReplicaIsSentTheDataAndEveryChange()
    {
        await _client.SendAsync(RespSocket.Command("SYNC"));
        Assert.EndsWith("$", await ReceiveUntilAsync("$")); // the length of the data that follow
        Assert.EndsWith("REDIS", await ReceiveUntilAsync("REDIS")); // with which they begin

        await _redis.CommandAsync("SET", "key", "a change");

        Assert.EndsWith("a change", await ReceiveUntilAsync("a change"));
    }

    [SkippableFact]
    public async Task ReplicaSaysWhatItCanDoAndIsServedAccordingly()
    {
        await SaysAsync("+OK\r\n", "REPLCONF", "capa", "eof");
        await SaysAsync("-ERR syntax error\r\n", "REPLCONF", "capa");
        await SaysAsync("-NOPERM this user has no permissions to run the 'replconf' command\r\n", "REPLCONF", "ACK", "0"); // Redis would say nothing

        await _client.SendAsync(RespSocket.Command("SYNC"));

        Assert.EndsWith("$EOF:", await ReceiveUntilAsync("$EOF:")); // sent without its length to those that can take it
    }

    [SkippableFact]
    public async Task ClientsAreListedAsRedisListsThem()
    {
        await SaysAsync("+PONG\r\n", "PING");
        await _client.SendAsync(RespSocket.Command("CLIENT", "LIST"));
        Assert.Matches(
            "^\\$\\d+\r\nid=\\d+ addr=127.0.0.1:\\d+ laddr=127.0.0.1:\\d+ fd=-?\\d+ name= age=\\d+ idle=0 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=26 qbuf-free=\\d+ argv-mem=\\d+ multi-mem=0 rbs=\\d+ rbp=\\d+ obl=0 oll=0 omem=0 tot-mem=\\d+ events=r cmd=client(\\|list)? user=default redir=-1 resp=2",
            await ReceiveUntilAsync("\r\n", after: "resp=2"));

        await SaysAsync("-ERR No such user 'nobody'\r\n", "CLIENT", "KILL", "USER", "nobody");
    }

    [SkippableFact]
    public async Task WritesCanBePaused()
    {
        using var writer = await ConnectAsync();
        await SaysAsync("+OK\r\n", "CLIENT", "PAUSE", "100000", "WRITE");
        await writer.SendAsync(RespSocket.Command("SET", "key", "value"));
        await Eventually.TrueAsync(
            async () => (await _redis.CommandAsync("INFO", "clients")).Contains("blocked_clients:1"), _patience, "the write waits");
        await SaysAsync("$-1\r\n", "GET", "key");

        await SaysAsync("+OK\r\n", "CLIENT", "UNPAUSE");

        Assert.Equal("+OK\r\n", await writer.ReceiveAsync(5));
        await SaysAsync("$5\r\nvalue\r\n", "GET", "key");
    }

    [SkippableFact]
    public async Task SortThatStoresNothingIsAnswered()
    {
        await _redis.CommandAsync("RPUSH", "list", "2", "1");

        await SaysAsync("*2\r\n$1\r\n1\r\n$1\r\n2\r\n", "SORT", "list");
        await SaysAsync(":2\r\n", "SORT", "list", "STORE", "sorted");
        await SaysAsync("$2\r\n12\r\n", "EVAL", "return table.concat(redis.call('LRANGE', KEYS[1], 0, -1))", "1", "sorted");
    }

    private async Task<RespSocket> ConnectAsync() =>
        await RespSocket.ConnectAsync(int.Parse(_gateway.Process.Settings["RESP_PORT"], CultureInfo.InvariantCulture));

    private async Task<string> ReceiveUntilAsync(string end, string after = "")
    {
        var received = "";
        var patience = System.Diagnostics.Stopwatch.StartNew();
        while (!(received.Contains(after, StringComparison.Ordinal) && received.EndsWith(end, StringComparison.Ordinal)) && patience.Elapsed < _patience)
        {
            received += await _client.ReceiveAsync(1);
        }

        return received;
    }

    private async Task SaysAsync(string expected, params string[] words) => Assert.Equal(expected, await _client.AskAsync(expected, words));
}
