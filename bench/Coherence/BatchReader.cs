using System.Text;

namespace RpOrleans.Coherence;

/// <summary>Reads many keys in one request over one connection. Their values are the first version; every key exists.</summary>
internal sealed class BatchReader(int port) : IDisposable
{
    private readonly HttpConnection _http = new(port);
    private readonly byte[] _expected = new byte[Values.Length];

    private static ReadOnlySpan<byte> BeforeValue => "\"found\": true, \"value\": \""u8;

    /// <summary>Reads keys.</summary>
    /// <returns>How many were not answered.</returns>
    public async Task<int> AskAsync(int[] keys)
    {
        var answer = await _http.AskAsync(RequestFor(keys));
        return answer.Status switch
        {
            200 => Judge(keys, answer.Body.Span),
            503 or 504 => keys.Length,
            _ => throw new WrongAnswerException($"A batch was answered {answer.Status}."),
        };
    }

    public void Dispose() => _http.Dispose();

    private static byte[] RequestFor(int[] keys)
    {
        const string Begin = "{\"keys\":[\"";
        const string Between = "\",\"";
        const string End = "\"]}";
        var length = Begin.Length + (keys.Length * Values.KeyLength) + ((keys.Length - 1) * Between.Length) + End.Length;
        var head = $"POST /v1/keys:batchGet HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{Begin}";
        var request = new byte[head.Length - Begin.Length + length];
        var at = Encoding.ASCII.GetBytes(head, request);
        for (var i = 0; i < keys.Length; i++)
        {
            Values.WriteKey(request.AsSpan(at), keys[i]);
            at += Values.KeyLength;
            at += Encoding.ASCII.GetBytes(i + 1 < keys.Length ? Between : End, request.AsSpan(at));
        }

        return request;
    }

    private int Judge(int[] keys, ReadOnlySpan<byte> body)
    {
        var failed = body.Count("\"error\": {"u8);
        if (failed > 0)
        {
            return failed; // which ones does not matter here
        }

        foreach (var key in keys)
        {
            Values.WriteValue(_expected, key, 0);
            var at = body.IndexOf(BeforeValue);
            if (at < 0 || !body[(at + BeforeValue.Length)..].StartsWith(_expected))
            {
                throw new WrongAnswerException("A key of a batch was answered with something that is not its value.");
            }

            body = body[(at + BeforeValue.Length + Values.Length)..];
        }

        return 0;
    }
}
