namespace RpOrleans.Gateway.Http;

/// <summary>Writes bodies in pieces.</summary>
// Kestrel reckons how long a write may take from its length, and keeps a copy of it until the client has taken it: one write
// of 16 MiB to a client that reads nothing would hold its memory for hours. Each piece has the limits' grace period instead.
internal static class ResponseBody
{
    private const int PieceBytes = 64 * 1024;

    /// <summary>Writes a whole body.</summary>
    public static Task WriteAsync(HttpResponse response, ReadOnlyMemory<byte> body) =>
        body.Length <= PieceBytes ? response.Body.WriteAsync(body).AsTask() : WriteInPiecesAsync(response, body);

    private static async Task WriteInPiecesAsync(HttpResponse response, ReadOnlyMemory<byte> body)
    {
        for (; !body.IsEmpty; body = body[Math.Min(PieceBytes, body.Length)..])
        {
            await response.Body.WriteAsync(body[..Math.Min(PieceBytes, body.Length)], response.HttpContext.RequestAborted);
        }
    }
}
