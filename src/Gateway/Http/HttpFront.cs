using Microsoft.AspNetCore.Http.Features;

namespace RpOrleans.Gateway.Http;

/// <summary>The public port: what a request is about, whether its method is allowed there, and who answers it.</summary>
// A middleware instead of endpoint routing: routing decodes paths, in which keys cannot be told apart any more, and costs time.
internal sealed class HttpFront(ReadKey reads, WriteKey writes, BatchGet batches, GatewayMetrics metrics, IHostApplicationLifetime lifetime)
{
    /// <summary>Answers a request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var raw = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var nul = context.Features.Get<NulEscape>();
        var target = RequestTarget.Parse(raw, nul is not null && nul.TakeUsed() ? NulEscape.Escape : default);
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            context.Response.Headers.Connection = "close";
        }

        if (!HasBody(context.Request))
        {
            await AnswerAsync(context, target, raw);
            return;
        }

        if (nul is not null)
        {
            nul.AwaitingHead = false; // until the body is read to its end
        }

        try
        {
            await AnswerAsync(context, target, raw);
        }
        finally
        {
            if (await IsReadToItsEndAsync(context))
            {
                nul?.AwaitingHead = true;
            }
            else if (!context.Response.HasStarted)
            {
                context.Response.Headers.Connection = "close";
            }
        }
    }

    private async Task AnswerAsync(HttpContext context, RequestTarget target, string raw)
    {
        if (IsAmbiguous(context.Request))
        {
            context.Response.Headers.Connection = "close";
            await RejectAsync(context, StatusCodes.Status400BadRequest, "The request has both a length and a transfer encoding");
            return;
        }

        try
        {
            await (target.Resource switch
            {
                Resource.Get => ByMethodAsync(context, "GET, HEAD", target.Key!, raw),
                Resource.Key => ByMethodAsync(context, "GET, HEAD, PUT, DELETE", target.Key!, raw),
                Resource.Home => HomeAsync(context),
                Resource.Set => SetAsync(context),
                Resource.BatchGet => BatchAsync(context),
                Resource.Malformed => RejectAsync(context, StatusCodes.Status400BadRequest, "The key is not percent-encoded properly"),
                _ => UnknownAsync(context),
            });
        }
        catch (BadHttpRequestException bad) when (!context.Response.HasStarted)
        {
            context.Response.Headers.Connection = "close";
            await RejectAsync(context, bad.StatusCode, "The request's body cannot be read");
        }
    }

    private Task ByMethodAsync(HttpContext context, string allowed, byte[] key, string raw)
    {
        var method = context.Request.Method;
        return HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? reads.AnswerAsync(context, key)
            : allowed.Length > 9 && HttpMethods.IsPut(method) ? writes.PutAsync(context, key, raw)
            : allowed.Length > 9 && HttpMethods.IsDelete(method) ? writes.DeleteAsync(context, key)
            : MethodNotAllowedAsync(context, allowed);
    }

    private Task HomeAsync(HttpContext context)
    {
        var method = context.Request.Method;
        if (HttpMethods.IsPost(method))
        {
            return writes.SetAsync(context);
        }

        if (!HttpMethods.IsGet(method) && !HttpMethods.IsHead(method))
        {
            return MethodNotAllowedAsync(context, "GET, HEAD, POST");
        }

        metrics.Count(GatewayOutcome.Other);
        return PlainText.WriteAsync(context, StatusCodes.Status200OK, PlainText.Home);
    }

    private Task SetAsync(HttpContext context) =>
        HttpMethods.IsPost(context.Request.Method) ? writes.SetAsync(context) : MethodNotAllowedAsync(context, "POST");

    private Task BatchAsync(HttpContext context) =>
        HttpMethods.IsPost(context.Request.Method) ? batches.AnswerAsync(context) : MethodNotAllowedAsync(context, "POST");

    private Task UnknownAsync(HttpContext context)
    {
        if (HttpMethods.IsConnect(context.Request.Method))
        {
            return MethodNotAllowedAsync(context, "GET, HEAD");
        }

        metrics.Count(GatewayOutcome.Rejected);
        return PlainText.WriteAsync(context, StatusCodes.Status404NotFound, PlainText.UnknownResource);
    }

    private Task MethodNotAllowedAsync(HttpContext context, string allowed)
    {
        context.Response.Headers.Allow = allowed;
        return RejectAsync(context, StatusCodes.Status405MethodNotAllowed, "The method is not allowed here");
    }

    private Task RejectAsync(HttpContext context, int status, string title)
    {
        metrics.Count(GatewayOutcome.Rejected);
        return Problems.WriteAsync(context, status, title);
    }

    private static bool HasBody(HttpRequest request) => request.ContentLength is > 0 || request.Headers.TransferEncoding.Count > 0;

    /// <summary>A length beside a transfer encoding is how requests are smuggled (RFC 9112, section 6.3); Kestrel takes the encoding, and renames the length.</summary>
    private static bool IsAmbiguous(HttpRequest request) =>
        request.Headers.TransferEncoding.Count > 0
        && (request.Headers.ContentLength is not null || request.Headers.ContainsKey("X-Content-Length"));

    private static async Task<bool> IsReadToItsEndAsync(HttpContext context)
    {
        try
        {
            if (!context.Request.BodyReader.TryRead(out var read))
            {
                return false;
            }

            context.Request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            return await Task.FromResult(read is { IsCompleted: true, Buffer.IsEmpty: true });
        }
        catch (Exception unreadable) when (unreadable is BadHttpRequestException or InvalidOperationException or IOException)
        {
            return false;
        }
    }
}
