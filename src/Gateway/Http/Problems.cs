using System.Diagnostics;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains.Admin;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Gateway.Http;

/// <summary>Errors as problem details (RFC 9457), with a trace id, and never a key or value.</summary>
internal static class Problems
{
    /// <summary>Answers with a problem.</summary>
    public static Task WriteAsync(HttpContext context, int status, string title, string? detail = null)
    {
        if (status is StatusCodes.Status503ServiceUnavailable or StatusCodes.Status429TooManyRequests)
        {
            context.Response.Headers.RetryAfter = "1";
        }

        return TypedResults.Problem(
            title: title, detail: detail, statusCode: status,
            extensions: [new("traceId", Activity.Current?.Id ?? context.TraceIdentifier)]).ExecuteAsync(context);
    }

    /// <summary>The status and title of a fault of Redis.</summary>
    public static (int Status, string Title) Of(OriginFault fault) => fault switch
    {
        OriginFault.TimedOut => (StatusCodes.Status504GatewayTimeout, NodeHealth.Reason(fault)),
        OriginFault.Refused or OriginFault.Untrusted or OriginFault.Protocol or OriginFault.Redirected => (StatusCodes.Status502BadGateway, NodeHealth.Reason(fault)),
        OriginFault.OutOfMemory => (StatusCodes.Status507InsufficientStorage, NodeHealth.Reason(fault)),
        _ => (StatusCodes.Status503ServiceUnavailable, NodeHealth.Reason(fault)),
    };

    /// <summary>The status and title of a request that no node answered.</summary>
    public static (int Status, string Title) Of(RouteFault fault) => fault switch
    {
        RouteFault.NoNode => (StatusCodes.Status503ServiceUnavailable, "No cache node can be reached"),
        RouteFault.TimedOut => (StatusCodes.Status504GatewayTimeout, "No cache node answered in time"),
        RouteFault.OutcomeUnknown => (StatusCodes.Status504GatewayTimeout, "The cache node was lost during the write: outcome unknown"),
        _ => throw new UnreachableException($"Unknown fault {fault}."),
    };
}
