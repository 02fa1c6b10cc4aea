using System.Net;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;
using RpOrleans.Grains.Hosting;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Routing;

/// <summary>An active silo, and where gateways reach it.</summary>
/// <param name="Silo">Its address; also the key of its cache grain.</param>
/// <param name="GatewayPort">Its silo gateway port, as an endpoint.</param>
internal sealed record ActiveSilo(SiloAddress Silo, IPEndPoint GatewayPort);

/// <summary>Reads the cluster's membership table, which the silos write.</summary>
internal sealed class MembershipTable : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly IMembershipTable _table;
    private bool _initialized;

    public MembershipTable(ClusteringOptions clustering, ILoggerFactory logs, IConfiguration configuration)
    {
        // Orleans registers the table with a silo; a gateway has none, and reads it all the same.
        var registration = new Registration(configuration);
        registration.UseRedisClustering(options => options.ConfigurationOptions = clustering.MembershipConnection());
        registration.Services.AddSingleton(logs).AddSingleton(typeof(ILogger<>), typeof(Logger<>)).AddOptions();
        registration.Services.Configure<ClusterOptions>(options => options.SetIds(clustering));
        _services = registration.Services.BuildServiceProvider();
        _table = _services.GetRequiredService<IMembershipTable>();
    }

    /// <summary>The silos that are active now.</summary>
    public async Task<IReadOnlyList<ActiveSilo>> ReadAsync(CancellationToken cancellation)
    {
        if (!_initialized)
        {
            await _table.InitializeMembershipTableAsync(tryInitTableVersion: false, cancellation).ConfigureAwait(false);
            _initialized = true;
        }

        var table = await _table.ReadAllAsync(cancellation).ConfigureAwait(false);
        return
        [
            .. table.Members.Select(member => member.Item1)
                .Where(member => member.Status == SiloStatus.Active && member.ProxyPort > 0)
                .Select(member => new ActiveSilo(member.SiloAddress, new IPEndPoint(member.SiloAddress.Endpoint.Address, member.ProxyPort))),
        ];
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private sealed class Registration(IConfiguration configuration) : ISiloBuilder
    {
        public IServiceCollection Services { get; } = new ServiceCollection();

        public IConfiguration Configuration => configuration;
    }
}
