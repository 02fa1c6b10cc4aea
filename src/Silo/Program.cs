using Microsoft.Extensions.Options;
using RpOrleans.Grains;
using RpOrleans.Grains.Admin;
using RpOrleans.Grains.Hosting;
using RpOrleans.Grains.Settings;

// A cache node as a process of its own.
try
{
    var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { Args = args });
    builder.Configuration.AddEnvironmentVariables();
    var settings = SiloSettings.Read(builder.Configuration);
    if (args.Contains(HealthProbe.Argument))
    {
        return await HealthProbe.RunAsync(settings.Admin);
    }

    using var ports = new PortReservation();
    var advertised = settings.Clustering.AdvertisedIp ?? Startup.OwnAddressTowards(settings.Clustering.MembershipRedis!);
    var adminPort = settings.Admin.Port ?? ports.NextFree(Listening.AddressOf(settings.Admin.Host), Listening.FirstAdminPort);
    var siloPort = settings.Clustering.SiloPort ?? ports.NextFree(advertised, 11111);
    var siloGatewayPort = settings.Clustering.SiloGatewayPort ?? ports.NextFree(advertised, 30000);

    builder.Logging.LogToConsole(settings.Admin.LogLevel);
    builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
    {
        kestrel.AddServerHeader = false;
        kestrel.ListenOn(settings.Admin.Host, adminPort, _ => { });
    });
    builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(15));
    builder.Services.AddRouting();
    builder.Services.AddHealthChecks().AddCheck<NodeHealth>("node");
    builder.UseOrleans(silo => silo
        .AddCacheNode(settings.Cache, settings.Coherence)
        .AddRedisOrigin(settings.Redis)
        .UseMembershipRedis(settings.Clustering, advertised, siloPort, siloGatewayPort));
    builder.Services.AddHostedService<NodeDrain>();

    var app = builder.Build();
    app.MapAdmin(() => Task.FromResult(new { Nodes = new[] { app.Services.GetRequiredService<NodeReport>().Stats } }));
    return await app.RunUntilStoppedAsync(() =>
    {
        Console.WriteLine($"RpOrleans node {advertised}:{siloPort} of cluster {settings.Clustering.ClusterId}: silo gateway port {siloGatewayPort}, admin http://{settings.Admin.Host}:{adminPort}");
        Console.WriteLine($"  in front of {settings.Redis.Description}; holds {settings.Cache.MaximumEntries} entries, {settings.Cache.MaximumBytes} bytes at most");
    });
}
catch (OptionsValidationException wrong)
{
    return Startup.Report(wrong);
}
