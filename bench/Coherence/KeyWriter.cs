using System.Text;

namespace RpOrleans.Coherence;

/// <summary>Writes keys through a gateway over one connection.</summary>
internal sealed class KeyWriter(int port) : IDisposable
{
    private const int KeyAt = 13;
    private static readonly byte[] _head =
        Encoding.ASCII.GetBytes($"PUT /v1/keys/k0000000 HTTP/1.1\r\nHost: localhost\r\nContent-Length: {Values.Length}\r\n\r\n");

    private readonly HttpConnection _http = new(port);
    private readonly byte[] _request = [.. _head, .. new byte[Values.Length]];

    /// <summary>Writes a key.</summary>
    /// <returns>Whether that was acknowledged; where it was not, it may have been done all the same.</returns>
    public async Task<bool> WriteAsync(int key, int version)
    {
        Values.WriteKey(_request.AsSpan(KeyAt), key);
        Values.WriteValue(_request.AsSpan(_head.Length), key, version);
        var answer = await _http.AskAsync(_request);
        return answer.Status is 204 or 503 or 504 ? answer.Status == 204 : throw new WrongAnswerException($"A write was answered {answer.Status}.");
    }

    public void Dispose() => _http.Dispose();
}
