using System.Globalization;
using RpOrleans.Tests.Http;
using RpOrleans.Tests.Resp;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Access;

/// <summary>A gateway with users, and a Redis that knows the same ones by its own means.</summary>
public sealed class AccessFixture : IAsyncLifetime
{
    private readonly UsersForTests _users = new();
    private readonly int _respPort = FreePort.Next();
    private RunningGateway? _gateway;
    private RedisServer? _redis;

    /// <summary>The gateway.</summary>
    internal RunningGateway Gateway
    {
        get
        {
            RedisServer.Require();
            return _gateway!;
        }
    }

    public async Task InitializeAsync()
    {
        try
        {
            RedisServer.Require();
        }
        catch (SkipException)
        {
            return; // said by each test
        }

        _gateway = await RunningGateway.StartAsync(
            null, [.. _users.Settings, ("RESP_PORT", _respPort.ToString(CultureInfo.InvariantCulture)), ("RESP_ALLOW_ADMIN", "true"), ("RECORD_EXPIRY", "1000")]);
        const string Everything = "on ~* &* +@all";
        _redis = await RedisServer.StartAsync(null, null, string.Join(' ',
            $"--user default {Everything} >{UsersForTests.Password}",
            $"--user reader {Everything} -@write -@dangerous -@scripting +info +keys >{UsersForTests.Reader}",
            $"--user app on ~app:* &* +@all -@dangerous -@scripting -dbsize -scan -randomkey +info >{UsersForTests.App}").Split(' '));
        foreach (var port in new[] { _gateway.Server.Port, _redis.Port })
        {
            using var client = await RespSocket.ConnectAsync(port);
            await client.SendAsync(RespSocket.Command("AUTH", UsersForTests.Password) + RespSocket.Command("MSET", "app:key", "mine", "other", "hidden") + RespSocket.Command("QUIT"));
            await client.ReceiveAllAsync();
        }
    }

    /// <summary>What the gateway, and what Redis says to commands of one connection.</summary>
    internal async Task<(string Gateway, string Redis)> AskBothAsync(params string[] commands)
    {
        RedisServer.Require();
        return (await AskAsync(_respPort, commands), await AskAsync(_redis!.Port, commands));
    }

    /// <summary>What the gateway says.</summary>
    internal Task<string> AskAsync(params string[] commands)
    {
        RedisServer.Require();
        return AskAsync(_respPort, commands);
    }

    /// <summary>A connection to the gateway.</summary>
    internal Task<RespSocket> ConnectAsync()
    {
        RedisServer.Require();
        return RespSocket.ConnectAsync(_respPort);
    }

    public async Task DisposeAsync()
    {
        _users.Dispose();
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }

        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }
    }

    private static async Task<string> AskAsync(int port, string[] commands)
    {
        using var client = await RespSocket.ConnectAsync(port);
        await client.SendAsync(string.Concat(commands.Append("QUIT").Select(command => RespSocket.Command(command.Split(' ')))));
        return await client.ReceiveAllAsync();
    }
}

/// <summary>The tests that share it.</summary>
[CollectionDefinition(Name)]
public sealed class AccessCollection : ICollectionFixture<AccessFixture>
{
    public const string Name = "access";
}
