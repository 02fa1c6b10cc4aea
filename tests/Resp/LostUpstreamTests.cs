using System.Globalization;
using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Resp;

/// <summary>What becomes of commands whose way to Redis is lost.</summary>
[Collection(ProcessesCollection.Name)]
[Trait(Beside.Name, Beside.Others)]
public sealed class LostUpstreamTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private RedisServer _redis = null!;
    private FaultProxy _link = null!;
    private AllInOne _gateway = null!;
    private RespSocket _client = null!;

    public async Task InitializeAsync()
    {
        _redis = await RedisServer.StartAsync();
        _link = new FaultProxy(_redis.Port, seed: 7);
        _gateway = await AllInOne.StartAsync(_link.Port, ("COHERENCE", "expiry"), ("RECORD_EXPIRY", "3600")); // Redis tells of nothing
        await _gateway.Process.ReadyAsync(_patience);
        _client = await RespSocket.ConnectAsync(int.Parse(_gateway.Process.Settings["RESP_PORT"], CultureInfo.InvariantCulture));
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _gateway.DisposeAsync();
        await _link.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [SkippableFact]
    public async Task WriteOfWhichTheReplyIsLostIsNotHiddenByTheCopy()
    {
        await HoldAsync("old");
        await SaysAsync("+OK\r\n", "SET", "other", "1"); // there is a connection

        await LoseTheReplyToAsync("SET", "key", "new");

        var error = "-ERR upstream Redis cannot be reached: outcome unknown\r\n";
        Assert.Equal(error, await _client.ReceiveAsync(error.Length));
        Assert.Equal("new", await FirstAnswerAsync());
    }

    [SkippableFact]
    public async Task TransactionOfWhichTheReplyIsLostIsNotHiddenByTheCopy()
    {
        await HoldAsync("old");
        await SaysAsync("+OK\r\n", "MULTI");
        await SaysAsync("+QUEUED\r\n", "SET", "key", "new");

        await LoseTheReplyToAsync("EXEC");

        await EndsAsync();
        await Eventually.TrueAsync(async () => (await _gateway.Client.GetAsync("key")).Body == "new", _patience, "the copy of before is gone");
    }

    [SkippableFact]
    public async Task ConnectionWhoseMultiIsLostEndsSoThatWhatFollowsIsNotCarriedOutByItself()
    {
        await SaysAsync("+OK\r\n", "SET", "key", "old");
        _link.Set(ProxyFault.Refuse);
        _link.Reset();

        await _client.SendAsync(RespSocket.Command("MULTI"));

        await EndsAsync();
    }

    [SkippableFact]
    public async Task TransactionThatIsLostAsAWholeIsAnsweredCommandByCommand()
    {
        await SaysAsync("+OK\r\n", "SET", "key", "old");
        _link.Set(ProxyFault.Refuse);
        _link.Reset();

        await _client.SendAsync(RespSocket.Command("MULTI") + RespSocket.Command("SET", "key", "new") + RespSocket.Command("EXEC"));

        var error = "-ERR upstream Redis cannot be reached\r\n";
        Assert.Equal(error + error + error, await _client.ReceiveAsync(3 * error.Length));
    }

    private async Task HoldAsync(string value)
    {
        await _redis.CommandAsync("SET", "key", value);
        await Eventually.TrueAsync(async () => (await _gateway.Client.GetAsync("key")).Cache == "HIT", _patience, "the key is held");
    }

    /// <summary>What the first read says that is answered: on a busy machine Redis was silent for long enough to be taken for ill.</summary>
    private async Task<string> FirstAnswerAsync()
    {
        var answer = default(Reply);
        await Eventually.TrueAsync(async () => (answer = await _gateway.Client.GetAsync("key")).Status != 503, _patience, "Redis is asked again");
        return answer.Body;
    }

    /// <summary>Has Redis carry a command out, and its connection end before the reply.</summary>
    private async Task LoseTheReplyToAsync(params string[] words)
    {
        _link.Set(ProxyFault.BlackHoleToClient);
        await _client.SendAsync(RespSocket.Command(words));
        await Eventually.TrueAsync(async () => (await _redis.CommandAsync("GET", "key")).Contains("new", StringComparison.Ordinal), _patience, "Redis has carried it out");
        _link.Reset();
        _link.Heal();
    }

    private async Task EndsAsync() => Assert.Contains(await _client.ReceiveAllAsync(), new[] { "<closed>", "<reset>" });

    private async Task SaysAsync(string expected, params string[] words) => Assert.Equal(expected, await _client.AskAsync(expected, words));
}
