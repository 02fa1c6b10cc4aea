using System.Runtime.CompilerServices;

namespace RpOrleans.Coherence;

/// <summary>What a read brought: the version when <paramref name="Status"/> is 200, else −1.</summary>
internal readonly record struct Read(int Status, int Version)
{
    /// <summary>Whether there was an answer; it is right then, or there would be no read to ask.</summary>
    public bool IsAnswered => Status == 200;
}

/// <summary>Reads keys through a gateway over one connection, and takes no wrong answer: every key exists.</summary>
internal sealed class KeyReader(int port) : IDisposable
{
    private const int KeyAt = 9;
    private readonly HttpConnection _http = new(port);
    private readonly byte[] _request = "GET /get/k0000000 HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray();

    private static ReadOnlySpan<byte> BeforeValue => "{\"value\": \""u8;

    private static ReadOnlySpan<byte> FromCache => "\", \"source\": \"cache\"}"u8;

    private static ReadOnlySpan<byte> FromRedis => "\", \"source\": \"redis\"}"u8;

    /// <summary>Reads a key; blocks the thread.</summary>
    public Read Ask(int key) => Judge(key, _http.Ask(RequestFor(key).Span));

    /// <summary>Reads a key.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Read> AskAsync(int key) => Judge(key, await _http.AskAsync(RequestFor(key)));

    public void Dispose() => _http.Dispose();

    private ReadOnlyMemory<byte> RequestFor(int key)
    {
        Values.WriteKey(_request.AsSpan(KeyAt), key);
        return _request;
    }

    private static Read Judge(int key, Answer answer)
    {
        if (answer.Status != 200)
        {
            return answer.Status is 503 or 504
                ? new Read(answer.Status, -1)
                : throw new WrongAnswerException($"A read was answered {answer.Status}.");
        }

        var body = answer.Body.Span;
        var version = body.StartsWith(BeforeValue) && (body.EndsWith(FromCache) || body.EndsWith(FromRedis))
            ? Values.VersionOf(body[BeforeValue.Length..^FromCache.Length], key)
            : -1;
        return version >= 0 ? new Read(200, version) : throw new WrongAnswerException("A read was answered with something that is not the key's value.");
    }
}
