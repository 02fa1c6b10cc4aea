namespace RpOrleans.Tests.Resp.Differential;

/// <summary>Both servers, for all tests of a class.</summary>
public sealed class BothServersFixture : IAsyncLifetime
{
    private BothServers? _servers;

    internal BothServers Servers => _servers!;

    public async Task InitializeAsync() => _servers = await BothServers.StartAsync();

    public async Task DisposeAsync()
    {
        if (_servers is not null)
        {
            await _servers.DisposeAsync();
        }
    }
}
