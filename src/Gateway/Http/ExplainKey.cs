using Microsoft.AspNetCore.Http.Features;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains.Admin;

namespace RpOrleans.Gateway.Http;

/// <summary><c>GET /v1/keys/{key}/explain</c> on the admin port: who owns a key, and what is held of it.</summary>
internal static class ExplainKey
{
    private const string Suffix = "/explain";

    /// <summary>Adds the path.</summary>
    public static void MapExplain(this IEndpointRouteBuilder endpoints, Router router) =>
        endpoints.MapGet("/v1/keys/{**rest}", context => AnswerAsync(context, router));

    private static async Task AnswerAsync(HttpContext context, Router router)
    {
        // Of the target as it was sent: a key may hold what looks like a path.
        var raw = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        raw = raw.IndexOf('?', StringComparison.Ordinal) is >= 0 and var query ? raw[..query] : raw;
        if (!raw.EndsWith(Suffix, StringComparison.Ordinal) || RequestTarget.Parse(raw.AsSpan(0, raw.Length - Suffix.Length)) is not { Resource: Resource.Key or Resource.Malformed } target)
        {
            await PlainText.WriteAsync(context, StatusCodes.Status404NotFound, PlainText.UnknownResource);
            return;
        }

        if (target.Key is not { } key)
        {
            await Problems.WriteAsync(context, StatusCodes.Status400BadRequest, "The key is not percent-encoded properly");
            return;
        }

        var (explanation, fault) = await router.ExplainAsync(key);
        if (explanation is null)
        {
            var (status, title) = Problems.Of(fault);
            await Problems.WriteAsync(context, status, title);
            return;
        }

        await context.Response.WriteAsJsonAsync(explanation, AdminEndpoints.Json);
    }
}
