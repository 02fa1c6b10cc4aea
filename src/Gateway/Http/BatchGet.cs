using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using RpOrleans.Gateway.Access;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Http;

/// <summary><c>POST /v1/keys:batchGet</c>: many keys in one request, each answered for itself.</summary>
internal sealed class BatchGet(Router router, Nodes nodes, LargeValues largeValues, CacheOptions options, GatewayMetrics metrics)
{
    private const int KeysAtMost = 1_000;
    private const long AnswerBytesAtMost = 64 * 1024 * 1024;

    /// <summary>Answers with one result a key, in order; with none if there is a key that the user may not read.</summary>
    public async Task AnswerAsync(HttpContext context, User? user)
    {
        if (!RequestBody.HasLength(context.Request))
        {
            metrics.Count(GatewayOutcome.Rejected);
            await Problems.WriteAsync(context, StatusCodes.Status411LengthRequired, "The request does not say how long its body is");
            return;
        }

        var body = await RequestBody.ReadAsync(context, KeysAtMost * (6L * options.MaximumKeyBytes + 16) + 1_024);
        if (ParseKeys(body) is not { } keys)
        {
            metrics.Count(GatewayOutcome.Rejected);
            await Problems.WriteAsync(context, StatusCodes.Status400BadRequest, "The body must be a JSON object with \"keys\", an array of at most 1,000 strings");
            return;
        }

        if (user is { HasPrefix: true } && keys.Exists(key => !user.MayUse(Encoding.UTF8.GetBytes(key))))
        {
            metrics.Count(GatewayOutcome.Rejected);
            await Problems.WriteAsync(context, StatusCodes.Status403Forbidden, Rights.KeyRefused);
            return;
        }

        var terms = CacheDirectives.Parse(context.Request.Headers.CacheControl);
        var reads = await ReadAsync(keys.ConvertAll(Encoding.UTF8.GetBytes), terms);
        var json = new ArrayBufferWriter<byte>(keys.Count * 64 + 32);
        json.Write("{\"results\": ["u8);
        for (var i = 0; i < reads.Count; i++)
        {
            json.Write(i == 0 ? ""u8 : ", "u8);
            WriteResult(json, keys[i], await reads[i]);
        }

        json.Write("]}"u8);
        context.Response.Headers.CacheControl = "private, no-cache";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.ContentType = ValueFormats.Json;
        context.Response.ContentLength = json.WrittenCount;
        await ResponseBody.WriteAsync(context.Response, json.WrittenMemory);
    }

    /// <summary>Reads all at once.</summary>
    private async Task<List<ValueTask<KeyResult>>> ReadAsync(List<byte[]> keys, ReadTerms terms)
    {
        if (terms != default || keys.Exists(IsTooLong))
        {
            return keys.ConvertAll(key => IsTooLong(key) ? new(new KeyResult(default, StatusCodes.Status414UriTooLong, "The key is too long")) : ReadAsync(key, terms));
        }

        var batch = new ReadBatch(router, nodes);
        keys.ForEach(key => batch.Add(key));
        await batch.ReadAsync();
        return batch.Answers.Zip(keys, (answer, key) => ResultAsync(key, new(answer.Routed.Answer with { Value = answer.Value }, answer.Routed.Fault))).ToList();
    }

    private async ValueTask<KeyResult> ReadAsync(byte[] key, ReadTerms terms) => await ResultAsync(key, await router.ReadAsync(key, terms));

    private ValueTask<KeyResult> ResultAsync(byte[] key, Routed<Lookup> routed)
    {
        var (lookup, fault) = routed;
        if (fault != RouteFault.None)
        {
            var (status, title) = Problems.Of(fault);
            return new(new KeyResult(default, status, title));
        }

        return lookup.Status == LookupStatus.TooLarge ? ReadLargeAsync(key, lookup) : new(ResultOf(lookup));
    }

    private async ValueTask<KeyResult> ReadLargeAsync(byte[] key, Lookup lookup) => ResultOf(await largeValues.ReadAsync(key, lookup));

    private static KeyResult ResultOf(in Lookup lookup) => lookup.Status switch
    {
        LookupStatus.Found or LookupStatus.Absent => new(lookup),
        LookupStatus.WrongType => new(lookup, StatusCodes.Status409Conflict, "The key holds something other than a string"),
        LookupStatus.Miss => new(lookup, StatusCodes.Status504GatewayTimeout, "The key is not held, and the request wants only what is"),
        _ => Problems.Of(lookup.Fault) is var (status, title) ? new(lookup, status, title) : default,
    };

    private bool IsTooLong(byte[] key) => key.Length > options.MaximumKeyBytes;

    private void WriteResult(ArrayBufferWriter<byte> json, string key, in KeyResult read)
    {
        var (lookup, status, title) = read;
        json.Write("{\"key\": "u8);
        ValueJson.WriteString(json, key);
        if (lookup.Status == LookupStatus.Found && json.WrittenCount + (long)lookup.Value.Length > AnswerBytesAtMost)
        {
            (status, title) = (StatusCodes.Status413PayloadTooLarge, "The answer as a whole would be too large; ask for this key by itself");
        }

        if (status != 0)
        {
            metrics.Count(status >= 500 ? GatewayOutcome.Failed : GatewayOutcome.Rejected);
            json.Write(", \"error\": {\"status\": "u8);
            json.Write(Encoding.ASCII.GetBytes(status.ToString(CultureInfo.InvariantCulture)));
            json.Write(", \"title\": "u8);
            ValueJson.WriteString(json, title!);
            json.Write("}}"u8);
        }
        else if (lookup.Status == LookupStatus.Absent)
        {
            metrics.Count(GatewayOutcome.Absent);
            json.Write(", \"found\": false}"u8);
        }
        else
        {
            metrics.Count(lookup.Source == LookupSource.Cache ? GatewayOutcome.Hit : GatewayOutcome.Miss);
            json.Write(", \"found\": true, "u8);
            ValueJson.WriteMembers(json, lookup.Value.Span);
            json.Write(lookup.Source == LookupSource.Cache ? ", \"source\": \"cache\""u8 : ", \"source\": \"redis\""u8);
            json.Write(lookup.Stale ? ", \"stale\": true}"u8 : "}"u8);
        }
    }

    private static List<string>? ParseKeys(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
            if (json.RootElement.ValueKind != JsonValueKind.Object
                || !json.RootElement.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array
                || keys.GetArrayLength() > KeysAtMost)
            {
                return null;
            }

            var read = new List<string>(keys.GetArrayLength());
            foreach (var key in keys.EnumerateArray())
            {
                if (key.ValueKind != JsonValueKind.String)
                {
                    return null;
                }

                read.Add(key.GetString()!);
            }

            return read;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>What is known of a key, or the problem that stands in its place.</summary>
    private readonly record struct KeyResult(Lookup Lookup, int Status = 0, string? Title = null);
}
