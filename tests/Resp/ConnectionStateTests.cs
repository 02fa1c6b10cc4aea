using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Resp.Differential;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Resp;

/// <summary>What a connection keeps in mind, and what is said of requests that are none: word for word as a redis-server beside it.</summary>
[Collection(ProcessesCollection.Name)]
[Trait(Beside.Name, Beside.Others)]
public sealed class ConnectionStateTests(BothServersFixture fixture, ITestOutputHelper output) : IClassFixture<BothServersFixture>, IDisposable
{
    private readonly BothServers _both = fixture.Servers;

    public void Dispose() => output.WriteLine(_both.Process.TakeReport());

    [SkippableFact]
    public async Task CommandsOfTheConnectionAreAnsweredAsRedisAnswersThem() => await AssertSameAsync(
        "PING;PING a;PING a b;ECHO;ECHO a;ECHO a b;ping;Echo x",
        "SELECT;SELECT 0;SELECT a;SELECT 0 0;SELECT 99999999999;SELECT 99999999999999999999;SELECT -1;SELECT 16;SELECT 00",
        "AUTH;AUTH x;AUTH default x;AUTH bad x;AUTH a b c;AUTH a b c d",
        "HELLO 4;HELLO 1;HELLO x;HELLO 3 x;HELLO 3 AUTH;HELLO 3 AUTH a;HELLO 3 AUTH bad b;HELLO 2 SETNAME;HELLO 2 SETNAME a\u0001;HELLO 99999999999999999999;HELLO 03;HELLO 3 AUTH default x SETNAME",
        "HELLO 3 SETNAME x AUTH bad p;CLIENT GETNAME;HELLO 3 SETNAME q zz;CLIENT GETNAME",
        "CLIENT;CLIENT NOSUCH;CLIENT GETNAME;CLIENT SETNAME;CLIENT SETNAME a;CLIENT GETNAME;CLIENT SETNAME a b;CLIENT SETNAME a\u0001;CLIENT GETNAME x",
        "CLIENT ID x;CLIENT getredir;CLIENT getredir x;CLIENT TRACKINGINFO;CLIENT TRACKINGINFO x;CLIENT CACHING;CLIENT CACHING x;CLIENT CACHING YES;CLIENT NO-EVICT;CLIENT PAUSE;CLIENT UNPAUSE x;CLIENT HELP x;CLIENT INFO x",
        "RESET;RESET x;QUIT x",
        "MONITOR x;SYNC x;PSYNC;PSYNC a;CONFIG;CONFIG NOSUCH;CONFIG GET;DEBUG;SLOWLOG NOSUCH;SAVE x;SWAPDB a;PFDEBUG");

    [SkippableFact]
    public async Task RepliesThatAreNotWantedAreNotSent() => await AssertSameAsync(
        "CLIENT REPLY;CLIENT REPLY foo;CLIENT REPLY ON;CLIENT REPLY ON x;PING",
        "CLIENT REPLY OFF;PING;GET {}a;CLIENT REPLY SKIP;PING;PING;CLIENT REPLY ON;PING",
        "CLIENT REPLY SKIP;PING;PING;CLIENT REPLY SKIP;GET {}x;GET {}x;CLIENT REPLY SKIP;SET {}x 1;SET {}x 1",
        "CLIENT REPLY SKIP;CLIENT REPLY SKIP;PING;PING;ECHO A",
        "CLIENT REPLY SKIP;CLIENT REPLY ON;PING;ECHO A",
        "CLIENT REPLY SKIP;CLIENT REPLY OFF;PING;ECHO A;CLIENT REPLY ON;ECHO B",
        "CLIENT REPLY OFF;RESET;PING",
        "CLIENT REPLY SKIP;RESET;PING",
        "CLIENT REPLY SKIP;NOSUCH;PING",
        "CLIENT REPLY SKIP;SUBSCRIBE {}a;PING",
        "CLIENT REPLY OFF;SUBSCRIBE {}a;PING;CLIENT REPLY ON;PING",
        "CLIENT REPLY SKIP;MULTI;PING;EXEC;PING");

    [SkippableFact]
    public async Task TransactionsAreKeptAsRedisKeepsThem() => await AssertSameAsync(
        "MULTI;QUIT;PING", "MULTI;RESET;PING;EXEC", "MULTI;MULTI;EXEC;EXEC;DISCARD;DISCARD", "MULTI;SET {}a 1;GET {}a;DISCARD;GET {}a", "MULTI;NOSUCH;EXEC", "MULTI;SET {}a;EXEC;EXEC",
        "MULTI;WATCH {}a;EXEC", "MULTI;UNWATCH;EXEC", "MULTI x;EXEC x;DISCARD x;WATCH;UNWATCH x", "MULTI;EXEC x;EXEC", "MULTI;DISCARD x;EXEC", "MULTI;MULTI x;EXEC", "MULTI;RESET x;EXEC",
        "MULTI;PING;ECHO x;PING a b;EXEC", "MULTI;PING;ECHO x;EXEC", "MULTI;CLIENT NOSUCH;EXEC", "MULTI;CLIENT;EXEC", "MULTI;SELECT;EXEC", "MULTI;AUTH;EXEC", "MULTI;SUBSCRIBE;EXEC", "MULTI;ECHO;EXEC",
        "WATCH {}a;SET {}a 2;MULTI;GET {}a;EXEC;GET {}a", "WATCH {}a;MULTI;SET {}a 3;EXEC", "WATCH {}a;UNWATCH;SET {}a 2;MULTI;GET {}a;EXEC", "WATCH {}a;RESET;SET {}a 2;MULTI;GET {}a;EXEC",
        "WATCH {}a;GET {}a;SET {}a 4;GET {}a;DISCARD;MULTI;DISCARD;MULTI;GET {}a;EXEC", "WATCH {}a;WATCH {}b;WATCH;EXEC;MULTI;EXEC",
        "GET {}n;MULTI;SORT {}l LIMIT 01 -2;EXEC;GET {}s"); // nothing is written, and nothing settled

    [SkippableFact]
    public async Task SubscriptionsAreKeptAsRedisKeepsThem() => await AssertSameAsync(
        "SUBSCRIBE {}a;PING;PING x;PING x y;GET {}a;SUBSCRIBE;SUBSCRIBE {}b {}c;UNSUBSCRIBE {}a;UNSUBSCRIBE {}c;PSUBSCRIBE {}p*;UNSUBSCRIBE;PUNSUBSCRIBE;PING",
        "SUBSCRIBE {}a;NOSUCH;GET;SELECT 0;CLIENT GETNAME;CLIENT NOSUCH;AUTH x;MULTI;EXEC;RESET;PING",
        "SUBSCRIBE {}a;QUIT", "SUBSCRIBE {}a;QUIT x", "SUBSCRIBE {}a;RESET x;RESET;GET {}a",
        "UNSUBSCRIBE;UNSUBSCRIBE {}a;UNSUBSCRIBE {}a {}b;PUNSUBSCRIBE;PUNSUBSCRIBE {}a;SUNSUBSCRIBE;SUNSUBSCRIBE {}a;PING",
        "SSUBSCRIBE {}a;SSUBSCRIBE {}b;SUBSCRIBE {}a;PING;SUNSUBSCRIBE {}b;SUNSUBSCRIBE;PING;UNSUBSCRIBE;PING",
        "SUBSCRIBE {}a {}a {}a;UNSUBSCRIBE {}a {}a {}a", "SUBSCRIBE;PSUBSCRIBE;SSUBSCRIBE",
        "SUBSCRIBE {}channel;SUNSUBSCRIBE;RESET;SUNSUBSCRIBE;SUBSCRIBE {}channel");

    [SkippableFact]
    public async Task OddValuesAndLivesAreReadAsRedisReadsThem() => await AssertSameAsync(
        "EXPIREAT {}n 4102444800000;GET {}n;STRLEN {}n", // in the year 131,971
        "SET {}a HTTP/1.1;GET {}a;SET {}b HTTP/;GET {}b",
        "ZADD {}z 1e400 a;ZINCRBY {}z 1e400 a;GEOADD {}g 1 1e400 a;SET {}f 1;INCRBYFLOAT {}f 1e400;GET {}f",
        "PEXPIREAT {}n 9223372036854775807;GET {}n;PERSIST {}n;GET {}n",
        "GETRANGE {}s 0 99999999999999999999;GETRANGE {}s -9223372036854775808 9223372036854775807;SUBSTR {}s 3 -100");

    [SkippableFact]
    public async Task SubscriptionInATransactionIsRefusedAndReachesNobodyElse()
    {
        var (ours, _) = await _both.AskAsync(string.Concat(new[] { "MULTI", "SUBSCRIBE a", "EXEC", "PING" }.Select(line => RespSocket.Command(line.Split(' ')))));

        Assert.Equal("+OK\r\n-ERR 'subscribe' cannot be part of a transaction here\r\n-EXECABORT Transaction discarded because of previous errors.\r\n+PONG\r\n<closed>", ours);
    }

    [SkippableFact]
    public async Task SubscriptionsFollowHello()
    {
        string[] lines = ["SUBSCRIBE a", "HELLO 2", "PING", "UNSUBSCRIBE", "HELLO 3", "SUBSCRIBE a"];
        var (ours, theirs) = await _both.AskAsync(RespSocket.Command("HELLO", "3") + string.Concat(lines.Select(line => RespSocket.Command(line.Split(' ')))));

        Assert.Null(Differential.Reply.Difference(Replies(ours), Replies(theirs)));

        static List<Differential.Reply> Replies(string bytes) => [.. Differential.Reply.ParseAll(bytes).Select(reply => reply.WithoutNumbers())];
    }

    [SkippableTheory]
    // counts and lengths
    [InlineData("*-10\r\nPING\r\n")]
    [InlineData("*3000000000\r\n")]
    [InlineData("*9223372036854775808\r\n")]
    [InlineData("*-9223372036854775809\r\nPING\r\n")]
    [InlineData("*x\r\n")]
    [InlineData("*\r\n")]
    [InlineData("* 1\r\n")]
    [InlineData("*+1\r\n")]
    [InlineData("*01\r\n")]
    [InlineData("*0\r\nPING\r\n")]
    [InlineData("*1\r\n$-10\r\n")]
    [InlineData("*1\r\n$2000000000\r\n")]
    [InlineData("*1\r\n$536870913\r\n")]
    [InlineData("*1\r\n$x\r\n")]
    [InlineData("*1\r\n$\r\n")]
    [InlineData("*1\r\n$-9223372036854775808\r\n")]
    // what stands where a length should
    [InlineData("*1\r\n:1\r\n")]
    [InlineData("*1\r\n\r\n")]
    [InlineData("*1\r\nx\r\n")]
    [InlineData("*1\r\n\u00ff\r\n")]
    [InlineData("*1\r\n*1\r\n$4\r\nPING\r\n")]
    [InlineData("*1\r\n$4\r\nPING\r\n*1\r\n$x\r\n")]
    [InlineData("$4\r\nPING\r\n")]
    [InlineData("+PING\r\nPING\r\n")]
    // line ends and NULs: they are waited beyond
    [InlineData("*1\n$4\nPING\n")]
    [InlineData("*1\r$4\rPING\r")]
    [InlineData("*1\rX$4\r\nPING\r\n")]
    [InlineData("*1\r\n$4\r\nPINGxxPING\r\n")]
    [InlineData("*1\r\n\0\r\n")]
    [InlineData("\0\r\nPING\r\n")]
    [InlineData("PING\0\r\nPING\r\n")]
    [InlineData("\"\0\"\r\n")]
    // names
    [InlineData("*1\r\n$0\r\n\r\n")]
    [InlineData("*2\r\n$0\r\n\r\n$1\r\na\r\n")]
    [InlineData("*2\r\n$3\r\nFOO\r\n$5\r\na\r\nb\u00ff\r\n")]
    [InlineData("*1\r\n$5\r\nF\r\nO\0\r\n")]
    // inline
    [InlineData("\r\nPING\r\n\n\n\nPING\n PING \r\n\tPING\r\nPING\r\r\n")]
    [InlineData("\"PING\"\r\nPI\"NG\"\r\n")]
    [InlineData("\"PING\r\n")]
    [InlineData("'PING\r\n")]
    [InlineData("'PING'x\r\n")]
    [InlineData("\"PING\"x\r\n")]
    [InlineData("\"\\x50ING\"\r\n\"\\x5gING\"\r\n")]
    [InlineData("PING \"\\x0\"\r\nPING \"a\\\r\n")]
    [InlineData("PING 'a\\'\r\n")]
    [InlineData("PING \"a b\\n\\r\\t\\a\\b\\q\\\"'\"\r\nPING 'b \\' \\n c'\r\nPING \"\"\r\nPING ''\r\n")]
    [InlineData("PING \"a\"\"b\"\r\n")]
    [InlineData("\"\" a\r\n")]
    [InlineData("\u00ff\u00fe\r\nPING\r\n")]
    public async Task MalformedRequestsAreAnsweredAsRedisAnswersThem(string bytes)
    {
        var (ours, theirs) = await _both.AskAsync(bytes);

        Assert.Equal(theirs, ours);
        Assert.EndsWith("<closed>", ours, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("", 'x')]
    [InlineData("*", '1')]
    [InlineData("*1\r\n$", '1')]
    public async Task EndlessLineIsAnsweredAsRedisAnswersIt(string head, char endless)
    {
        var (ours, theirs) = await _both.AskAsync(head + new string(endless, 65_600));

        Assert.Equal(theirs, ours);
        Assert.StartsWith("-ERR Protocol error: too big", ours, StringComparison.Ordinal);
    }

    /// <summary>Plays each line, whose commands are separated by semicolons, in both versions of the protocol.</summary>
    private async Task AssertSameAsync(params string[] lines)
    {
        foreach (var line in lines)
        {
            foreach (var protocol in new[] { 2, 3 })
            {
                var played = new Case(protocol, [new Group([.. line.Split(';').Select(Step.Of)])], [], false);
                var difference = await _both.DifferenceAsync(played);
                Assert.True(difference is null, $"{played}\n{difference}");
            }
        }
    }
}
