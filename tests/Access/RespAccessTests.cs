using RpOrleans.Tests.Resp;
using Xunit;

namespace RpOrleans.Tests.Access;

/// <summary>Users of the Redis protocol, in Redis's words.</summary>
[Collection(AccessCollection.Name)]
public sealed class RespAccessTests(AccessFixture fixture)
{
    private const string AsDefault = $"AUTH {UsersForTests.Password}";
    private const string AsReader = $"AUTH reader {UsersForTests.Reader}";
    private const string AsApp = $"AUTH app {UsersForTests.App}";
    private const string AsAppReader = $"AUTH app-reader {UsersForTests.AppReader}";

    private const string KeyRefused = "-NOPERM this user has no permissions to access one of the keys used as arguments\r\n";

    [SkippableTheory]
    [InlineData("PING", "GET app:key", "SET app:key mine", "MULTI", "SUBSCRIBE channel", "CLIENT ID", "KEYS *")]
    [InlineData("AUTH", "AUTH wrong", "AUTH nobody wrong", "AUTH reader wrong", "AUTH reader " + UsersForTests.App, "AUTH a b c", "PING")]
    [InlineData("HELLO", "HELLO 3", "HELLO 9", "HELLO x", "HELLO 3 AUTH default wrong", "HELLO 3 AUTH default", "HELLO 3 SETNAME name", "HELLO 2 FOO", "PING")]
    [InlineData(AsDefault, "PING", "AUTH wrong", "GET app:key", "RESET", "GET app:key", AsDefault, "GET app:key")]
    [InlineData("AUTH default " + UsersForTests.Password, "HELLO 2 AUTH reader wrong", "ACL WHOAMI", AsReader, "ACL WHOAMI", AsApp, "ACL WHOAMI")]
    [InlineData("HELLO 2 AUTH default " + UsersForTests.Password + " FOO", "GET app:key")]
    [InlineData(AsDefault, "EXISTS 1 2 3 4 5 6 7 8 9 10 11 12 13 app:key")] // more words than a stranger may send, right behind the login
    [InlineData("EXISTS 1 2 3 4 5 6 7 8 9 10 11 12 13 app:key")]
    public async Task StrangersAreToldWhatRedisTellsThem(params string[] commands) => await SameAsRedisAsync(commands);

    [SkippableTheory]
    [InlineData("GET app:key", "MGET app:key other", "EXISTS other", "HGETALL nothing", "PFCOUNT nothing", "KEYS oth*", "PUBLISH channel news", "XREAD STREAMS nothing 0")]
    [InlineData("SET app:key x", "DEL other", "GETEX other", "EXPIRE other 1", "LPUSH list x", "BLPOP list 0", "SORT list", "FLUSHALL", "CONFIG GET port", "EVAL return(1) 0", "EVAL return(1) 1 app:key", "GET app:key", "SET app:key")]
    [InlineData("MULTI", "GET app:key", "SET app:key x", "EXEC", "GET app:key", "MULTI", "GET app:key", "EXEC")]
    [InlineData("WATCH app:key", "GET app:key", "SET app:key x", "UNWATCH", "SUBSCRIBE channel", "UNSUBSCRIBE channel")]
    public async Task ReaderWritesNothing(params string[] commands) => await SameAsRedisAsync([AsReader, .. commands]);

    [SkippableTheory]
    [InlineData("GET app:key", "GET other", "MGET app:key other", "MGET app:key app:none", "EXISTS other", "STRLEN other", "GETRANGE other 0 1", "GET app", "GET")]
    [InlineData("SET other x", "MSET app:a 1 other x", "DEL app:a other", "RENAME app:a other", "BLPOP app:list other 0", "SINTERCARD 2 app:a other", "GEORADIUS app:geo 0 0 1 m STORE other", "XREAD STREAMS app:s other 0 0", "OBJECT ENCODING other", "BITOP NOT app:a other")]
    [InlineData("SET app:w 1", "GET app:w", "INCR app:w", "XREAD STREAMS app:s 0", "SINTERCARD 1 app:none", "DEL app:w", "OBJECT ENCODING app:key")]
    [InlineData("KEYS *", "SCAN 0", "DBSIZE", "RANDOMKEY", "FLUSHALL", "FLUSHDB", "EVAL return(1) 0", "EVAL return(1) 1 app:key", "FUNCTION LIST", "CONFIG GET port", "SET other")]
    [InlineData("MULTI", "SET app:key x", "SET other x", "EXEC", "GET app:key", "MULTI", "GET app:key", "EXEC", "MULTI", "GET app:key", "DBSIZE", "EXEC")]
    [InlineData("WATCH other", "WATCH app:key", "GET other", "GET app:key", "UNWATCH", "PUBLISH channel news", "SUBSCRIBE channel", "UNSUBSCRIBE channel", "PING")]
    [InlineData("MONITOR x", "SYNC x", "REPLCONF", "PSYNC", "SET other x", "GET other", "CONFIG GET port")]
    public async Task UserWithAPrefixUsesNoOtherKeys(params string[] commands) => await SameAsRedisAsync([AsApp, .. commands]);

    [SkippableFact]
    public async Task WhatOthersHaveReadIsNotServedToThoseWhoMayNot()
    {
        Assert.Equal($"+OK\r\n$6\r\nhidden\r\n+OK\r\n{KeyRefused}+OK\r\n<closed>", await fixture.AskAsync(AsDefault, "GET other", AsApp, "GET other"));
    }

    [SkippableFact]
    public async Task NeitherRedisNorTheTableIsFooled()
    {
        // Redis takes the last STORE for it, and its table the first.
        await RefusedAsync("georadius", "GEORADIUS app:geo 0 0 1 m STORE app:geo STORE other");
        await RefusedAsync("zunion", "ZUNION 0 other");
        await RefusedAsync("sort", "SORT app:list BY nosort GET other");
        await RefusedAsync("NOSUCH", "NOSUCH other");
        Assert.EndsWith($"{KeyRefused}+OK\r\n<closed>", await fixture.AskAsync(AsApp, "RP.EXPLAIN other"));

        async Task RefusedAsync(string name, string command) =>
            Assert.Equal($"+OK\r\n-NOPERM this user has no permissions to run the '{name}' command\r\n+OK\r\n<closed>", await fixture.AskAsync(AsApp, command));
    }

    [SkippableFact]
    public async Task SubscriptionsOfTheOtherVersionAreNoWayAround()
    {
        using var client = await fixture.ConnectAsync();
        await client.SendAsync(string.Concat(
            $"HELLO 3 {AsApp}\r\n", "SUBSCRIBE channel\r\n", "HELLO 2\r\n", "SET other x\r\n", "RESET\r\n", "QUIT\r\n"));

        Assert.EndsWith("-ERR Can't execute 'set': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n+RESET\r\n+OK\r\n<closed>", await client.ReceiveAllAsync());
    }

    [SkippableFact]
    public async Task AdministratorsCommandsAreForThoseWhoMayDoEverything()
    {
        Assert.DoesNotContain("NOPERM", await fixture.AskAsync(AsDefault, "CONFIG GET port", "CLIENT LIST"));
        foreach (var user in new[] { AsReader, AsApp, AsAppReader })
        {
            var said = await fixture.AskAsync(user, "CONFIG GET port", "CLIENT LIST", "CLIENT KILL TYPE normal", "CLIENT UNBLOCK 1");
            Assert.Equal(["'config|get'", "'client|list'", "'client|kill'", "'client|unblock'"], said.Split("\r\n").Where(line => line.StartsWith("-NOPERM")).Select(line => line.Split(' ')[9]));
        }
    }

    [SkippableFact]
    public async Task ClientsAreListedAndKilledByTheirUser()
    {
        using var reader = await fixture.ConnectAsync();
        Assert.Equal("+OK\r\n", await reader.AskAsync("+OK\r\n", AsReader.Split(' ')));

        var said = await fixture.AskAsync(AsDefault, "CLIENT LIST", "CLIENT KILL USER nobody", "CLIENT KILL USER reader");

        Assert.Contains(" user=reader ", said);
        Assert.Contains(" user=default ", said);
        Assert.EndsWith("-ERR No such user 'nobody'\r\n:1\r\n+OK\r\n<closed>", said);
        Assert.Matches("<(closed|reset)>", await reader.ReceiveAllAsync());
    }

    [SkippableFact]
    public async Task WholeTableOfCommandsGivesNothingAwayAndChangesNothing()
    {
        var before = await fixture.Gateway.Server.CommandAsync("DEBUG", "DIGEST");
        var commands = ((StackExchange.Redis.RedisResult[])(await fixture.Gateway.Redis.ExecuteAsync("COMMAND", "LIST"))!).Select(name => (string)name!)
            .Where(name => name is not ("quit" or "reset" or "auth" or "hello" or "wait")).ToList();
        Assert.True(commands.Count > 200);

        foreach (var arguments in new[] { " other", " other other", " other 1 other", " 1 other other", " 1 other app:key 1 other" })
        {
            using var client = await fixture.ConnectAsync();
            var said = "";
            await client.SendAsync(string.Concat(new[] { AsAppReader }.Concat(commands.Where(command => !command.Contains("subscribe") && command is not "multi" and not "client").Select(command => command + arguments))
                .Append("QUIT").Select(command => RespSocket.Command(command.Split(' ')))));
            said = await client.ReceiveAllAsync();

            Assert.DoesNotContain("hidden", said);
            Assert.EndsWith("+OK\r\n<closed>", said);
        }

        Assert.Equal(before, await fixture.Gateway.Server.CommandAsync("DEBUG", "DIGEST"));
    }

    private async Task SameAsRedisAsync(string[] commands)
    {
        var (gateway, redis) = await fixture.AskBothAsync(commands);
        Assert.Equal(redis, gateway);
    }
}
