using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using RpOrleans.Gateway.Access;

namespace RpOrleans.Gateway.Http;

/// <summary>The public port: what a request is about, whether its method is allowed there, and who answers it.</summary>
// A middleware instead of endpoint routing: routing decodes paths, in which keys cannot be told apart any more, and costs time.
internal sealed class HttpFront(ReadKey reads, WriteKey writes, BatchGet batches, GatewayMetrics metrics, IHostApplicationLifetime lifetime, Logins? logins = null)
{
    /// <summary>Answers a request.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        var raw = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var nul = context.Features.Get<NulEscape>();
        var target = RequestTarget.Parse(raw, EscapeIn(raw, nul));
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            context.Response.Headers.Connection = "close";
        }

        if (HasBody(context.Request))
        {
            return AnswerWithBodyAsync(context, target, raw, nul);
        }

        AwaitHead(context, nul);
        return AnswerAsync(context, target, raw);
    }

    private async Task AnswerWithBodyAsync(HttpContext context, RequestTarget target, string raw, NulEscape? nul)
    {
        try
        {
            if (IsAmbiguous(context.Request))
            {
                context.Response.Headers.Connection = "close";
                await RejectAsync(context, StatusCodes.Status400BadRequest, "The request has both a length and a transfer encoding, or an encoding other than chunked");
                return;
            }

            await AnswerAsync(context, target, raw);
        }
        catch (BadHttpRequestException bad) when (!context.Response.HasStarted)
        {
            context.Response.Headers.Connection = "close";
            await RejectAsync(context, bad.StatusCode, "The request's body cannot be read");
        }
        finally
        {
            if (IsReadToItsEnd(context))
            {
                AwaitHead(context, nul);
            }
            else
            {
                // Kestrel reads the rest away; where the next head begins is not known here, so there shall be none.
                context.Features.GetRequiredFeature<IConnectionLifetimeNotificationFeature>().RequestClose();
            }
        }
    }

    private Task AnswerAsync(HttpContext context, RequestTarget target, string raw) =>
        logins is null || IsForStrangers(context.Request, target) ? AnswerAsync(context, target, raw, null) : AnswerUserAsync(context, target, raw);

    /// <summary>Answers those who have logged in.</summary>
    private async Task AnswerUserAsync(HttpContext context, RequestTarget target, string raw)
    {
        if (Credentials.Of(context.Request, logins!.Users) is { } credentials && await logins.LogInAsync(credentials.Name, credentials.Secret) is { } user)
        {
            await AnswerAsync(context, target, raw, user);
            return;
        }

        context.Response.Headers.WWWAuthenticate = Credentials.Wanted;
        await RejectAsync(context, StatusCodes.Status401Unauthorized, "The request needs the name and secret of a user");
    }

    private Task AnswerAsync(HttpContext context, RequestTarget target, string raw, User? user) => target.Resource switch
    {
        Resource.Get => GetAsync(context, target.Key!, user),
        Resource.Key => KeyAsync(context, target.Key!, raw, user),
        Resource.Home => HomeAsync(context, user),
        Resource.Set => SetAsync(context, user),
        Resource.BatchGet => BatchAsync(context, user),
        Resource.Malformed => RejectAsync(context, StatusCodes.Status400BadRequest, "The key is not percent-encoded properly"),
        _ => UnknownAsync(context),
    };

    private Task GetAsync(HttpContext context, byte[] key, User? user)
    {
        var method = context.Request.Method; // case counts (RFC 9110, section 9.1), which HttpMethods.Is… forget
        return method != HttpMethods.Get && method != HttpMethods.Head ? MethodNotAllowedAsync(context, "GET, HEAD")
            : user is { IsLimited: true } && !user.MayUse(key) ? ForbidAsync(context, Rights.KeyRefused)
            : reads.AnswerAsync(context, key);
    }

    private Task KeyAsync(HttpContext context, byte[] key, string raw, User? user)
    {
        var method = context.Request.Method;
        if (method == HttpMethods.Get || method == HttpMethods.Head)
        {
            return GetAsync(context, key, user);
        }

        if (method != HttpMethods.Put && method != HttpMethods.Delete)
        {
            return MethodNotAllowedAsync(context, "GET, HEAD, PUT, DELETE");
        }

        return Rights.RefusalOfWrite(user, key) is { } refusal ? ForbidAsync(context, refusal)
            : method == HttpMethods.Put ? writes.PutAsync(context, key, raw)
            : writes.DeleteAsync(context, key);
    }

    private Task HomeAsync(HttpContext context, User? user)
    {
        var method = context.Request.Method;
        if (method == HttpMethods.Post)
        {
            return writes.SetAsync(context, user);
        }

        if (method != HttpMethods.Get && method != HttpMethods.Head)
        {
            return MethodNotAllowedAsync(context, "GET, HEAD, POST");
        }

        metrics.Count(GatewayOutcome.Other);
        return PlainText.WriteAsync(context, StatusCodes.Status200OK, PlainText.Home);
    }

    private Task SetAsync(HttpContext context, User? user) =>
        context.Request.Method == HttpMethods.Post ? writes.SetAsync(context, user) : MethodNotAllowedAsync(context, "POST");

    private Task BatchAsync(HttpContext context, User? user) =>
        context.Request.Method == HttpMethods.Post ? batches.AnswerAsync(context, user) : MethodNotAllowedAsync(context, "POST");

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

    private Task ForbidAsync(HttpContext context, string refusal) => RejectAsync(context, StatusCodes.Status403Forbidden, refusal);

    private Task RejectAsync(HttpContext context, int status, string title)
    {
        metrics.Count(GatewayOutcome.Rejected);
        return Problems.WriteAsync(context, status, title);
    }

    /// <summary>The escape, if all that look like one stand for an encoded NUL; none was sent as it is.</summary>
    private static string? EscapeIn(string raw, NulEscape? nul) =>
        nul?.TakeUsed() is > 0 and var used && raw.AsSpan().Count(NulEscape.Escape) == used ? NulEscape.Escape : null;

    /// <summary>The request has been read to its end: what comes next on its connection is the head of another.</summary>
    private static void AwaitHead(HttpContext context, NulEscape? nul)
    {
        nul?.AwaitHead();
        context.Features.Get<DirectReads.Requests>()?.AwaitHead();
    }

    /// <summary>The home page says nothing but that somebody is there.</summary>
    private static bool IsForStrangers(HttpRequest request, RequestTarget target) =>
        target.Resource == Resource.Home && (request.Method == HttpMethods.Get || request.Method == HttpMethods.Head);

    private static bool HasBody(HttpRequest request) => request.ContentLength is > 0 || request.Headers.TransferEncoding.Count > 0;

    /// <summary>
    /// A length beside a transfer encoding is how requests are smuggled (RFC 9112, section 6.3); Kestrel takes the encoding, and
    /// renames the length. It takes any encoding that ends in "chunked", too, and would leave the rest undone.
    /// </summary>
    private static bool IsAmbiguous(HttpRequest request) =>
        request.Headers.TransferEncoding is { Count: > 0 } encoding
        && (request.Headers.ContentLength is not null || request.Headers.ContainsKey("X-Content-Length")
            || !string.Equals(encoding.ToString(), "chunked", StringComparison.OrdinalIgnoreCase)
            || HttpProtocol.IsHttp10(request.Protocol));

    private static bool IsReadToItsEnd(HttpContext context)
    {
        try
        {
            if (!context.Request.BodyReader.TryRead(out var read))
            {
                return false;
            }

            context.Request.BodyReader.AdvanceTo(read.Buffer.End); // what is there already is read away at once
            return read.IsCompleted;
        }
        catch (Exception unreadable) when (unreadable is BadHttpRequestException or InvalidOperationException or IOException)
        {
            return false;
        }
    }
}
