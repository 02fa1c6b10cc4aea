using RpOrleans.Tests.Http;
using Xunit;

namespace RpOrleans.Tests.Support;

/// <summary>One gateway for the tests of a class or collection. Where there is no <c>redis-server</c>, the tests that use it are skipped, or fail.</summary>
public sealed class GatewayFixture : IAsyncLifetime
{
    private RunningGateway? _gateway;

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

        _gateway = await RunningGateway.StartAsync();
    }

    public async Task DisposeAsync()
    {
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }
    }
}
