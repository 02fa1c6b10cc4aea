using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Grains.Admin;

/// <summary>Whether a node serves as an owner.</summary>
internal sealed class NodeHealth(NodeReport report, IHostApplicationLifetime lifetime) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var state = report.State;
        return Task.FromResult(
            !lifetime.ApplicationStarted.IsCancellationRequested ? HealthCheckResult.Unhealthy("the node is starting")
            : state.Draining || lifetime.ApplicationStopping.IsCancellationRequested ? HealthCheckResult.Unhealthy("the node is stopping")
            : !state.Joined ? HealthCheckResult.Unhealthy("the node is joining: not every other node knows of it yet")
            : CannotAskRedis(state) is { } reason ? HealthCheckResult.Unhealthy(reason)
            : HealthCheckResult.Healthy());
    }

    /// <summary>Why a node cannot serve what it does not hold; <see langword="null"/> when it can.</summary>
    public static string? CannotAskRedis(NodeState state) =>
        state.OriginFault != OriginFault.None ? Reason(state.OriginFault)
        : !state.CoherenceKnown ? "it is not known yet whether Redis tells of changes"
        : null;

    /// <summary>A fault of Redis in words.</summary>
    public static string Reason(OriginFault fault) => fault switch
    {
        OriginFault.Unreachable => "Redis cannot be reached",
        OriginFault.TimedOut or OriginFault.BreakerOpen => "Redis does not answer in time",
        OriginFault.Refused => "Redis refuses the login or the commands",
        OriginFault.Untrusted => "Redis has no certificate that is trusted for its name, or no TLS",
        OriginFault.Protocol => "what answers in Redis's place does not speak its protocol",
        OriginFault.Loading => "Redis is loading its data set",
        OriginFault.Shed => "too many reads of Redis are waiting",
        OriginFault.ReadOnly => "Redis is a replica, or has lost its master",
        OriginFault.Redirected => "Redis is part of a cluster and does not serve every key",
        OriginFault.OutOfMemory => "Redis is out of memory",
        _ => "Redis refuses for a state of its own",
    };
}
