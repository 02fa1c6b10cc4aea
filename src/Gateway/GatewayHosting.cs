using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using RpOrleans.Gateway.Access;
using RpOrleans.Gateway.Embedded;
using RpOrleans.Gateway.Http;
using RpOrleans.Gateway.Near;
using RpOrleans.Gateway.Resp;
using RpOrleans.Gateway.Resp.Commands;
using RpOrleans.Gateway.Resp.Upstream;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains.Admin;
using RpOrleans.Grains.Hosting;

namespace RpOrleans.Gateway;

/// <summary>Puts a gateway together.</summary>
internal static class GatewayHosting
{
    /// <summary>A gateway, ready to be started.</summary>
    /// <param name="settings">Its settings; a Redis is named in them.</param>
    /// <param name="adminPort">Where health and figures are asked for.</param>
    /// <param name="ports">Finds those that nobody needs to know.</param>
    /// <param name="time">The clock by which entries age.</param>
    /// <param name="configuration">What Orleans reads of the environment.</param>
    public static WebApplication Build(GatewaySettings settings, int adminPort, PortReservation ports, TimeProvider time, IConfiguration configuration)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Configuration.AddConfiguration(configuration);
        builder.Logging.LogToConsole(settings.Admin.LogLevel);
        builder.AddGateway(settings, time);
        builder.ListenOn(settings, adminPort);
        if (settings.OneProcess)
        {
            builder.AddEmbeddedNode(settings, ports);
        }
        else
        {
            if (settings.Gateway.NearCacheBytes > 0)
            {
                builder.Services.AddSingleton(new NearCache(settings.Gateway.NearCacheBytes, TimeProvider.System));
            }

            builder.Services.AddHostedService<MembershipWatcher>();
        }

        var app = builder.Build();
        app.UseFront(settings.Gateway.Port);
        app.MapAdmin(app.Services.GetRequiredService<GatewayReport>().StatsAsync);
        app.MapExplain(app.Services.GetRequiredService<Router>());
        return app;
    }

    /// <summary>What every gateway has.</summary>
    private static void AddGateway(this WebApplicationBuilder builder, GatewaySettings settings, TimeProvider time)
    {
        var services = builder.Services;
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(15));
        services.AddSingleton(time);
        services.AddSingleton(settings).AddSingleton(settings.Gateway).AddSingleton(settings.Cache).AddSingleton(settings.Coherence)
            .AddSingleton(settings.Redis).AddSingleton(settings.Clustering);
        if (settings.Users is { } users)
        {
            services.AddSingleton(users).AddSingleton<Logins>();
        }

        services.AddRedisAddress(settings.Redis);
        services.AddSingleton<Nodes>().AddSingleton<Router>();
        services.AddSingleton<GatewayMetrics>().AddSingleton<GatewayReport>();
        services.AddSingleton<ConnectionLimit>();
        services.AddSingleton<HttpFront>().AddSingleton<DirectReads>().AddSingleton<ReadKey>().AddSingleton<WriteKey>().AddSingleton<BatchGet>().AddSingleton<LargeValues>();
        services.AddSingleton<RespServices>().AddSingleton<CachedReads>().AddSingleton<UpstreamPool>().AddSingleton<ServerCommands>();
        services.AddSingleton<RespClients>().AddHostedService(provider => provider.GetRequiredService<RespClients>());
        services.AddRouting();
        services.AddHealthChecks().AddCheck<GatewayHealth>("gateway");
        services.AddHostedService<GatewayDrain>();
    }

    /// <summary>The node in this process.</summary>
    private static void AddEmbeddedNode(this WebApplicationBuilder builder, GatewaySettings settings, PortReservation ports)
    {
        builder.UseOrleans(silo => silo
            .AddCacheNode(settings.Cache, settings.Coherence)
            .AddRedisOrigin(settings.Redis)
            .UseOneProcess(ports.Any(), ports.Any()));
        builder.Services.AddHostedService<EmbeddedNode>();
    }

    /// <summary>The public port and the admin port.</summary>
    private static void ListenOn(this WebApplicationBuilder builder, GatewaySettings settings, int adminPort)
    {
        // Socket completions run where they arrive: nothing on the way of a read blocks (docs/benchmarks.md).
        // The runtime reads this once, when the first socket is made.
        builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.AllowResponseHeaderCompression = false;
            kestrel.Limits.MaxRequestLineSize = 3 * settings.Cache.MaximumKeyBytes + 1_024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(6); // noticed once a second
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(130);
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 1_024, gracePeriod: TimeSpan.FromSeconds(5));
            // Any write may take the grace period; what the system has taken off our hands adds little to it.
            kestrel.Limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: 4_194_304, gracePeriod: TimeSpan.FromSeconds(5));
            kestrel.ListenOn(settings.Gateway.Host, settings.Gateway.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.Use(kestrel.ApplicationServices.GetRequiredService<ConnectionLimit>().Http);
                if (settings.Users is null) // who may read what, Kestrel's side knows
                {
                    listen.Use(kestrel.ApplicationServices.GetRequiredService<DirectReads>().Middleware);
                }

                listen.Use(NulEscape.Middleware);
            });
            if (settings.Gateway.RespPort != 0)
            {
                kestrel.ListenOn(settings.Gateway.Host, settings.Gateway.RespPort, listen =>
                {
                    listen.Use(kestrel.ApplicationServices.GetRequiredService<ConnectionLimit>().Resp);
                    listen.UseConnectionHandler<RespFront>();
                });
            }

            kestrel.ListenOn(settings.Admin.Host, adminPort, listen => listen.Protocols = HttpProtocols.Http1);
        });
    }

    /// <summary>The public port's requests go to the front, the rest to the admin paths.</summary>
    private static void UseFront(this WebApplication app, int publicPort)
    {
        var front = app.Services.GetRequiredService<HttpFront>();
        app.Use(next => context => context.Connection.LocalPort == publicPort ? front.InvokeAsync(context) : next(context));
        app.UseRouting();
    }
}
