using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using RpOrleans.Gateway.Access;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Http;

/// <summary>The ways to write a key: <c>POST /</c> and <c>/set</c>, <c>PUT</c>, <c>DELETE</c>.</summary>
internal sealed class WriteKey(Router router, CacheOptions options, GatewayMetrics metrics)
{
    private static readonly byte[] _ok = [.. "{\"result\": \"OK\"}"u8];

    /// <summary><c>POST</c> of <c>{"k": …, "v": …}</c>, with <c>"ex"</c> or <c>"px"</c> if wanted.</summary>
    public async Task SetAsync(HttpContext context, User? user)
    {
        if (user is { MayWrite: false })
        {
            await RejectAsync(context, StatusCodes.Status403Forbidden, Rights.WriteRefused);
            return;
        }

        if (!RequestBody.HasLength(context.Request))
        {
            await RejectAsync(context, StatusCodes.Status411LengthRequired, "The request does not say how long its body is");
            return;
        }

        // Each byte of a key or a value takes at most six in JSON (\u00XX).
        var body = await RequestBody.ReadAsync(context, 6L * (options.MaximumKeyBytes + options.MaximumValueBytes) + 1_024);
        if (SetBody.Parse(body) is not { } set)
        {
            await RejectAsync(context, StatusCodes.Status400BadRequest,
                "The body must be a JSON object with a string \"k\", a string or number \"v\", and at most one of \"ex\" (seconds) and \"px\" (milliseconds), a positive whole number");
            return;
        }

        if (Rights.RefusalOfWrite(user, set.Key) is { } refusal)
        {
            await RejectAsync(context, StatusCodes.Status403Forbidden, refusal);
            return;
        }

        if (await WriteAsync(context, new WriteRequest { Key = set.Key, Value = set.Value, ExpiryMilliseconds = set.ExpiryMilliseconds }) is not { Status: WriteStatus.Done })
        {
            return;
        }

        context.Response.ContentType = ValueFormats.Json;
        context.Response.ContentLength = _ok.Length;
        await context.Response.Body.WriteAsync(_ok);
    }

    /// <summary><c>PUT</c> of a value's bytes, with <c>?ex=</c> or <c>?px=</c> and <c>If-None-Match: *</c> if wanted.</summary>
    public async Task PutAsync(HttpContext context, byte[] key, string raw)
    {
        var headers = context.Request.Headers;
        if (!RequestBody.HasLength(context.Request))
        {
            await RejectAsync(context, StatusCodes.Status411LengthRequired, "The request does not say how long its body is");
        }
        else if (headers.IfMatch.Count > 0 || headers.IfNoneMatch is { Count: > 0 } condition && condition != "*")
        {
            await RejectAsync(context, StatusCodes.Status400BadRequest, "The only condition that a write can have is If-None-Match: *");
        }
        else if (headers.ContentRange.Count > 0)
        {
            await RejectAsync(context, StatusCodes.Status400BadRequest, "A part of a value cannot be written");
        }
        else if (!TryReadExpiry(raw, out var expiry))
        {
            await RejectAsync(context, StatusCodes.Status400BadRequest, "ex (seconds) or px (milliseconds) must be a positive whole number, and only one of them given");
        }
        else
        {
            var value = await RequestBody.ReadAsync(context, options.MaximumValueBytes);
            var change = new WriteRequest { Key = key, Value = value, ExpiryMilliseconds = expiry, OnlyIfAbsent = headers.IfNoneMatch.Count > 0 };
            if (await WriteAsync(context, change) is { Status: WriteStatus.Done })
            {
                context.Response.StatusCode = StatusCodes.Status204NoContent;
            }
        }
    }

    /// <summary><c>DELETE</c>: whether or not it was there, it is not there any more.</summary>
    public async Task DeleteAsync(HttpContext context, byte[] key)
    {
        if (await WriteAsync(context, new WriteRequest { Key = key }) is { Status: WriteStatus.Done })
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }

    /// <summary>Writes, and answers for what did not succeed.</summary>
    private async Task<WriteOutcome?> WriteAsync(HttpContext context, WriteRequest change)
    {
        if (change.Key.Length > options.MaximumKeyBytes)
        {
            await RejectAsync(context, StatusCodes.Status414UriTooLong, "The key is too long");
            return null;
        }

        if (change.Value?.Length > options.MaximumValueBytes)
        {
            await RejectAsync(context, StatusCodes.Status413PayloadTooLarge, "The value is too large");
            return null;
        }

        var (outcome, fault) = await router.WriteAsync(change);
        if (fault != RouteFault.None)
        {
            metrics.Count(GatewayOutcome.Failed);
            var (status, title) = Problems.Of(fault);
            await Problems.WriteAsync(context, status, title);
            return null;
        }

        KeyHeaders.OfWrite(context.Response.Headers, outcome.Stored);
        switch (outcome.Status)
        {
            case WriteStatus.Done:
                metrics.Count(GatewayOutcome.Written);
                break;
            case WriteStatus.ConditionFailed:
                await RejectAsync(context, StatusCodes.Status412PreconditionFailed, "The key is there already");
                break;
            default:
                metrics.Count(GatewayOutcome.Failed);
                var (status, title) = Problems.Of(outcome.Fault);
                await Problems.WriteAsync(context, status, outcome.OutcomeUnknown ? title + ": outcome unknown" : title);
                break;
        }

        return outcome;
    }

    private Task RejectAsync(HttpContext context, int status, string title)
    {
        metrics.Count(GatewayOutcome.Rejected);
        return Problems.WriteAsync(context, status, title);
    }

    private static bool TryReadExpiry(string raw, out long milliseconds)
    {
        milliseconds = 0;
        var query = QueryHelpers.ParseQuery(RequestTarget.QueryOf(raw).ToString());
        var (ex, px) = (query.TryGetValue("ex", out var e) ? e : default, query.TryGetValue("px", out var p) ? p : default);
        return (ex.Count, px.Count) switch
        {
            (0, 0) => true,
            (1, 0) => long.TryParse(ex, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && SetBody.TryMilliseconds(seconds, 1_000, out milliseconds),
            (0, 1) => long.TryParse(px, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && SetBody.TryMilliseconds(count, 1, out milliseconds),
            _ => false,
        };
    }
}
