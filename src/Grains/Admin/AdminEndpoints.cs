using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace RpOrleans.Grains.Admin;

/// <summary>The admin port's paths, the same on gateways and silos.</summary>
internal static class AdminEndpoints
{
    /// <summary>How figures are written.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary><c>/livez</c>: the process answers. <c>/readyz</c>: it can serve, else 503 with the reasons. <c>/stats</c>: its figures.</summary>
    /// <typeparam name="TStats">The figures' type; <c>docs/stats.md</c> describes it.</typeparam>
    public static void MapAdmin<TStats>(this IEndpointRouteBuilder endpoints, Func<Task<TStats>> stats)
    {
        endpoints.MapHealthChecks("/livez", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = WriteAsync });
        endpoints.MapHealthChecks("/readyz", new HealthCheckOptions { ResponseWriter = WriteAsync });
        endpoints.MapGet("/stats", async () => Results.Json(await stats(), Json));
    }

    private static Task WriteAsync(HttpContext context, HealthReport report) =>
        context.Response.WriteAsJsonAsync(
            new
            {
                Status = report.Status == HealthStatus.Healthy ? "ok" : "unavailable",
                Reasons = report.Entries.Values.Where(entry => entry.Status != HealthStatus.Healthy).Select(entry => entry.Description),
            },
            Json);
}
