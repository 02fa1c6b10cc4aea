using System.Globalization;
using System.Text;
using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Resp.Differential;

/// <summary>A gateway in front of a Redis, and another Redis with the same data: both are sent the same.</summary>
internal sealed class BothServers : IAsyncDisposable
{
    private const string Never = "<never>";

    private static readonly string _empty = RespSocket.Command("FLUSHALL") + RespSocket.Command("FUNCTION", "FLUSH") + RespSocket.Command("SCRIPT", "FLUSH");

    private readonly RedisServer _behind;
    private readonly RedisServer _beside;
    private readonly AllInOne _gateway;
    private readonly RespSocket[] _sides;
    private int _cases;

    private BothServers(RedisServer behind, RedisServer beside, AllInOne gateway, RespSocket[] sides) => (_behind, _beside, _gateway, _sides) = (behind, beside, gateway, sides);

    /// <summary>Where the Redis that is compared with listens.</summary>
    public int RedisPort => _beside.Port;

    /// <summary>The gateway's process.</summary>
    public NodeProcess Process => _gateway.Process;

    public static async Task<BothServers> StartAsync()
    {
        // Redis ends a wait at the next tick: more of them, less waiting. And which members of a sorted set lie in a range of names,
        // where they have different scores, is chance in a skip list, whose levels are drawn.
        string[] settings = ["--hz", "500", "--zset-max-listpack-entries", "1000000", "--zset-max-listpack-value", "1000000"];
        var (behind, beside) = (await RedisServer.StartAsync(extraArgs: settings), await RedisServer.StartAsync(extraArgs: settings));
        var gateway = await AllInOne.StartAsync(behind.Port);
        await gateway.Process.ReadyAsync(TimeSpan.FromSeconds(20));
        return new BothServers(behind, beside, gateway, [await RespSocket.ConnectAsync(behind.Port), await RespSocket.ConnectAsync(beside.Port)]);
    }

    /// <summary>Plays a case to both.</summary>
    /// <returns>How their replies differ; <see langword="null"/> if they are as like as they must be.</returns>
    public async Task<string?> DifferenceAsync(Case played)
    {
        for (var patience = 5; ; patience--)
        {
            var (ours, theirs) = await PlayAsync(played);
            if (ours == theirs)
            {
                return null;
            }

            // On a busy machine Redis may not answer a read in time; that is said, and is no difference unless it is said again and again.
            if (patience == 0 || !ours.Contains("-ERR upstream", StringComparison.Ordinal))
            {
                return Reply.Difference(Reply.ParseAll(ours), Reply.ParseAll(theirs));
            }
        }
    }

    /// <summary>Sends the same to both, and nothing more.</summary>
    /// <returns>All that they say before they hang up.</returns>
    public async Task<(string Ours, string Theirs)> AskAsync(string bytes)
    {
        await EmptyAsync();
        var replies = await Task.WhenAll(AskAsync(GatewayPort, bytes, [], null), AskAsync(_beside.Port, bytes, [], null));
        return (replies[0], replies[1]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var side in _sides)
        {
            side.Dispose();
        }

        await _gateway.DisposeAsync();
        await _behind.DisposeAsync();
        await _beside.DisposeAsync();
    }

    private int GatewayPort => int.Parse(_gateway.Process.Settings["RESP_PORT"], CultureInfo.InvariantCulture);

    private async Task<(string Ours, string Theirs)> PlayAsync(Case played)
    {
        await EmptyAsync();
        var number = ++_cases;
        var token = $"end-of-{number}";
        var end = $"${token.Length}\r\n{token}\r\n";
        var bytes = (played.Protocol == 3 ? RespSocket.Command("ECHO", Likeness.Numbers.Mark) + RespSocket.Command("HELLO", "3") : "")
            + string.Concat(Case.Data.Concat(played.Groups.SelectMany(group => group.Steps)).Select(step => step.Bytes(number)))
            + (played.Quits ? RespSocket.Command("QUIT") + RespSocket.Command("PING") : RespSocket.Command("RESET") + RespSocket.Command("ECHO", token));
        var cuts = played.Cuts.Select(cut => (int)(cut * bytes.Length)).Order().ToArray();
        var replies = await Task.WhenAll(AskAsync(GatewayPort, bytes, cuts, end), AskAsync(_beside.Port, bytes, [], end));
        return (replies[0], replies[1]);
    }

    private async Task EmptyAsync()
    {
        const string Done = "+OK\r\n+OK\r\n+OK\r\n";
        foreach (var side in _sides)
        {
            await side.SendAsync(_empty);
            Assert.Equal(Done, await side.ReceiveAsync(Done.Length));
        }
    }

    private static async Task<string> AskAsync(int port, string bytes, int[] cuts, string? end)
    {
        using var client = await RespSocket.ConnectAsync(port);
        var sending = Task.Run(async () =>
        {
            try
            {
                var from = 0;
                foreach (var cut in cuts.Append(bytes.Length))
                {
                    await client.SendAsync(bytes[from..cut]);
                    from = cut;
                }

                if (end is null)
                {
                    client.EndSending();
                }
            }
            catch (System.Net.Sockets.SocketException)
            {
                // It has hung up, and what it said before is what counts.
            }
        });
        var replies = await client.ReceiveUntilAsync(end ?? Never);
        await sending;
        return replies.Replace("<reset>", "<closed>", StringComparison.Ordinal); // with bytes in it that were not read
    }
}
