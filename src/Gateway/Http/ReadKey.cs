using System.Buffers;
using System.Diagnostics;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Http;

/// <summary><c>GET</c> and <c>HEAD</c> of a key.</summary>
internal sealed class ReadKey(Router router, LargeValues largeValues, CacheOptions options, GatewayMetrics metrics)
{
    /// <summary>Larger values are put into JSON piece by piece, in chunks instead of with a length.</summary>
    private const int StreamedFrom = 1024 * 1024;

    /// <summary>Kestrel sends what is written when the request ends; more than this is sent before, at the client's pace.</summary>
    private const int FlushedAtTheEnd = 16 * 1024;

    private static readonly byte[] _beforePlain = [.. "{\"value\": \""u8];
    private static readonly byte[] _fromCache = [.. ", \"source\": \"cache\"}"u8];
    private static readonly byte[] _fromRedis = [.. ", \"source\": \"redis\"}"u8];

    /// <summary>How a read that found out something of its key ended.</summary>
    public static GatewayOutcome OutcomeOf(in Lookup lookup) =>
        lookup.Status == LookupStatus.Absent ? GatewayOutcome.Absent
        : lookup.Source == LookupSource.Cache ? GatewayOutcome.Hit
        : GatewayOutcome.Miss;

    /// <summary>Answers with what is known of the key.</summary>
    public async Task AnswerAsync(HttpContext context, byte[] key)
    {
        if (key.Length > options.MaximumKeyBytes)
        {
            metrics.Count(GatewayOutcome.Rejected);
            await Problems.WriteAsync(context, StatusCodes.Status414UriTooLong, "The key is too long");
            return;
        }

        var terms = CacheDirectives.Parse(context.Request.Headers.CacheControl);
        var (lookup, fault) = context.Features.Get<DirectReads.Requests>()?.TakeKnown() ?? await router.ReadAsync(key, terms);
        if (fault != RouteFault.None)
        {
            metrics.Count(GatewayOutcome.Failed);
            var (status, title) = Problems.Of(fault);
            await Problems.WriteAsync(context, status, title);
            return;
        }

        if (lookup.Status == LookupStatus.TooLarge)
        {
            lookup = await largeValues.ReadAsync(key, lookup);
        }

        await AnswerAsync(context, lookup, terms);
    }

    private Task AnswerAsync(HttpContext context, in Lookup lookup, ReadTerms terms)
    {
        KeyHeaders.OfRead(context.Response.Headers, lookup, terms);
        switch (lookup.Status)
        {
            case LookupStatus.Found:
                metrics.Count(OutcomeOf(lookup));
                return WriteValueAsync(context, lookup);
            case LookupStatus.Absent:
                metrics.Count(OutcomeOf(lookup));
                return PlainText.WriteAsync(context, StatusCodes.Status404NotFound, PlainText.KeyNotFound);
            case LookupStatus.Miss:
                metrics.Count(GatewayOutcome.Failed);
                context.Response.Headers["Cache-Status"] = "rporleans; detail=only-if-cached";
                return Problems.WriteAsync(context, StatusCodes.Status504GatewayTimeout, "The key is not held, and the request wants only what is");
            case LookupStatus.WrongType:
                metrics.Count(GatewayOutcome.Rejected);
                return Problems.WriteAsync(context, StatusCodes.Status409Conflict, "The key holds something other than a string");
            case LookupStatus.TooLarge:
                metrics.Count(GatewayOutcome.Failed);
                return Problems.WriteAsync(context, StatusCodes.Status507InsufficientStorage, "The value is too large to be served");
            case LookupStatus.Failed:
                metrics.Count(GatewayOutcome.Failed);
                var (status, title) = Problems.Of(lookup.Fault);
                return Problems.WriteAsync(context, status, title);
            default:
                throw new UnreachableException($"Unknown status {lookup.Status}.");
        }
    }

    private static Task WriteValueAsync(HttpContext context, in Lookup lookup)
    {
        var response = context.Response;
        var value = lookup.Value;
        var format = ValueFormats.Choose(context.Request.Headers.Accept);
        var tag = EntityTags.Of(value.Span, format);
        response.Headers.ETag = tag;
        if (context.Request.Headers.IfNoneMatch is { Count: > 0 } known && EntityTags.Matches(known, tag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        if (format != ValueFormat.Json)
        {
            response.ContentType = format == ValueFormat.Text ? ValueFormats.Text : ValueFormats.Bytes;
            response.ContentLength = value.Length;
            return context.Request.Method == HttpMethods.Head ? Task.CompletedTask : ResponseBody.WriteAsync(response, value);
        }

        response.ContentType = ValueFormats.Json;
        var source = SourceMember(lookup.Source);
        if (value.Length > StreamedFrom)
        {
            return context.Request.Method == HttpMethods.Head ? Task.CompletedTask : StreamAsync(context, value, source);
        }

        if (ValueJson.IsPlain(value.Span))
        {
            return WritePlain(context, value.Span, lookup.Source);
        }

        var json = new ArrayBufferWriter<byte>(value.Length + 64);
        json.Write("{"u8);
        ValueJson.WriteMembers(json, value.Span);
        json.Write(source);
        response.ContentLength = json.WrittenCount;
        return context.Request.Method == HttpMethods.Head ? Task.CompletedTask : ResponseBody.WriteAsync(response, json.WrittenMemory);
    }

    /// <summary>How long the answer with a value is that needs no escaping.</summary>
    public static int LengthOfPlain(ReadOnlySpan<byte> value, LookupSource source) => _beforePlain.Length + value.Length + 1 + SourceMember(source).Length;

    /// <summary>Most values need no escaping: then the length is known, and the answer is put together where it is sent from.</summary>
    public static void WritePlain(IBufferWriter<byte> output, ReadOnlySpan<byte> value, LookupSource source)
    {
        var length = LengthOfPlain(value, source);
        var answer = output.GetSpan(length);
        _beforePlain.CopyTo(answer);
        value.CopyTo(answer[_beforePlain.Length..]);
        answer[_beforePlain.Length + value.Length] = (byte)'"';
        SourceMember(source).CopyTo(answer[(_beforePlain.Length + value.Length + 1)..]);
        output.Advance(length);
    }

    private static byte[] SourceMember(LookupSource source) => source == LookupSource.Cache ? _fromCache : _fromRedis;

    private static Task WritePlain(HttpContext context, ReadOnlySpan<byte> value, LookupSource source)
    {
        var length = LengthOfPlain(value, source);
        context.Response.ContentLength = length;
        if (context.Request.Method == HttpMethods.Head)
        {
            return Task.CompletedTask;
        }

        var output = context.Response.BodyWriter;
        WritePlain(output, value, source);
        return length <= FlushedAtTheEnd ? Task.CompletedTask : output.FlushAsync(context.RequestAborted).AsTask();
    }

    private static async Task StreamAsync(HttpContext context, ReadOnlyMemory<byte> value, byte[] source)
    {
        var output = context.Response.BodyWriter;
        output.Write("{"u8);
        await ValueJson.WriteMembersAsync(output, value, context.RequestAborted);
        output.Write(source);
        await output.FlushAsync(context.RequestAborted);
    }
}
