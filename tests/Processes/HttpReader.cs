using System.Diagnostics;

namespace RpOrleans.Tests.Processes;

/// <summary>One client of the gateways, with connections of its own, which checks what it is told.</summary>
internal sealed class HttpReader(IReadOnlyList<int> ports, Keys keys) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false })
    {
        Timeout = TimeSpan.FromSeconds(10), // far beyond what is promised, so that what is late is seen to be late
    };

    /// <summary>Reads a key through a gateway.</summary>
    public async Task<Answer> ReadAsync(int gateway, int key)
    {
        var sent = Stopwatch.GetTimestamp();
        try
        {
            using var answer = await _http.GetAsync($"http://127.0.0.1:{ports[gateway]}/get/{keys.Key(key)}");
            var body = await answer.Content.ReadAsStringAsync();
            var received = Stopwatch.GetTimestamp();
            var status = (int)answer.StatusCode;
            var fromRedis = body.EndsWith("\"redis\"}", StringComparison.Ordinal);
            var right = status == 200 && body == $"{{\"value\": \"{keys.Value(key)}\", \"source\": \"{(fromRedis ? "redis" : "cache")}\"}}";
            var verdict = right ? Verdict.Right : status == 200 ? Verdict.Wrong : status == 404 ? Verdict.Absent : Verdict.Failed;
            return new Answer(sent, received, gateway, key, verdict, status, fromRedis, answer.Headers.ConnectionClose == true, right ? null : body);
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException or IOException)
        {
            return new Answer(sent, Stopwatch.GetTimestamp(), gateway, key, Verdict.Failed, 0, false, true, $"{failure.GetType().Name}: {failure.GetBaseException().Message}");
        }
    }

    public void Dispose() => _http.Dispose();
}
