using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;
using RpOrleans.Gateway;
using RpOrleans.Gateway.Embedded;
using RpOrleans.Gateway.Http;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains.Admin;
using RpOrleans.Grains.Hosting;

// A gateway; with CLUSTERING=embedded, the default, a cache node and, without REDIS_HOST, a store in the same process.
try
{
    var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { Args = args });
    builder.Configuration.AddEnvironmentVariables();
    var settings = GatewaySettings.Read(builder.Configuration);
    if (args.Contains(HealthProbe.Argument))
    {
        return await HealthProbe.RunAsync(settings.Admin);
    }

    using var ports = new PortReservation();
    using var store = Store.StartUnlessRedisIsGiven(settings.Redis);
    var adminPort = settings.Admin.Port ?? ports.NextFree(Listening.AddressOf(settings.Admin.Host), Listening.FirstAdminPort);

    builder.Logging.LogToConsole(settings.Admin.LogLevel);
    builder.AddGateway(settings);
    builder.ListenOn(settings, adminPort);
    if (settings.OneProcess)
    {
        builder.AddEmbeddedNode(settings, ports);
    }
    else
    {
        builder.Services.AddHostedService<MembershipWatcher>();
    }

    var app = builder.Build();
    app.UseFront(settings.Gateway.Port);
    app.MapAdmin(app.Services.GetRequiredService<GatewayReport>().StatsAsync);
    await app.StartAsync();
    Banner.Print(settings, adminPort);
    await app.WaitForShutdownAsync();
    return 0;
}
catch (OptionsValidationException wrong)
{
    return Startup.Report(wrong);
}
