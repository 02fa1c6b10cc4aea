using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace RpOrleans.Gateway.Http;

/// <summary>Reads bodies, as long as they are allowed to be.</summary>
internal static class RequestBody
{
    /// <summary>Whether the request says how long its body is, or that it comes in chunks.</summary>
    public static bool HasLength(HttpRequest request) => request.ContentLength is not null || request.Headers.TransferEncoding.Count > 0;

    /// <summary>Reads the whole body. Memory grows with what arrives, not with what is announced.</summary>
    /// <exception cref="BadHttpRequestException">It is too long (413), malformed (400) or too slow (408).</exception>
    public static async Task<byte[]> ReadAsync(HttpContext context, long atMost)
    {
        // Kestrel refuses a longer one, on its announcement or as soon as it has grown too long.
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = atMost;
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await ReadAsync(reader);
            if (read.IsCompleted)
            {
                var body = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return body;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>Reads on. Kestrel has no status for a chunk size that overflows, a trailer that is not UTF-8, and a client that is gone.</summary>
    private static async ValueTask<ReadResult> ReadAsync(PipeReader reader)
    {
        try
        {
            return await reader.ReadAsync();
        }
        catch (Exception broken) when (broken is IOException and not BadHttpRequestException or OperationCanceledException or InvalidOperationException)
        {
            throw new BadHttpRequestException("The body broke off.", StatusCodes.Status400BadRequest, broken);
        }
    }
}
