using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;
using RpOrleans.Gateway;
using RpOrleans.Gateway.Access;
using RpOrleans.Gateway.Embedded;
using RpOrleans.Grains.Admin;
using RpOrleans.Grains.Hosting;

// A gateway; with CLUSTERING=embedded, the default, a cache node and, without REDIS_HOST, a store in the same process.
if (args.Contains(HashSecret.Argument))
{
    return HashSecret.Run();
}

Startup.PreferInlineSocketCompletions();
try
{
    var environment = new ConfigurationBuilder().AddEnvironmentVariables().Build();
    var settings = GatewaySettings.Read(environment);
    if (args.Contains(HealthProbe.Argument))
    {
        return await HealthProbe.RunAsync(settings.Admin);
    }

    using var ports = new PortReservation();
    using var store = Store.StartUnlessRedisIsGiven(settings.Redis, ports);
    var adminPort = settings.Admin.Port ?? ports.NextFree(Listening.AddressOf(settings.Admin.Host), Listening.FirstAdminPort);

    var app = GatewayHosting.Build(settings, adminPort, ports, TimeProvider.System, environment);
    return await app.RunUntilStoppedAsync(() => Banner.Print(settings, adminPort));
}
catch (OptionsValidationException wrong)
{
    return Startup.Report(wrong);
}
catch (IOException taken) when (taken.InnerException is AddressInUseException)
{
    Console.Error.WriteLine(taken.Message);
    return 1;
}
