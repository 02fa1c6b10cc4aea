using Microsoft.Extensions.Diagnostics.HealthChecks;
using RpOrleans.Gateway.Routing;

namespace RpOrleans.Gateway;

/// <summary>Whether a gateway can serve reads.</summary>
internal sealed class GatewayHealth(Nodes nodes, IHostApplicationLifetime lifetime) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return Task.FromResult(HealthCheckResult.Unhealthy("the gateway is stopping"));
        }

        var reasons = nodes.NotReady();
        return Task.FromResult(reasons.Count == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy(string.Join("; ", reasons)));
    }
}
