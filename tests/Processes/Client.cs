using System.Diagnostics;
using System.Net.Http.Headers;

namespace RpOrleans.Tests.Processes;

/// <summary>What came back.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">The value's text, or what stands in its place.</param>
/// <param name="RetryAfter">When to come again, where it says so.</param>
/// <param name="Cache">Its <c>X-Cache</c>, where it has one.</param>
/// <param name="CacheStatus">Its <c>Cache-Status</c>, where it has one.</param>
/// <param name="Age">Its age in seconds, where it says so.</param>
/// <param name="Took">How long it took.</param>
internal readonly record struct Reply(int Status, string Body, string? RetryAfter, string? Cache, string? CacheStatus, TimeSpan? Age, TimeSpan Took);

/// <summary>A client of one gateway that asks for values as they are.</summary>
internal sealed class Client : IDisposable
{
    private readonly HttpClient _http;

    public Client(int port)
    {
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{port}/v1/keys/"),
            Timeout = TimeSpan.FromSeconds(10),
        };
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("text/plain"));
    }

    public Task<Reply> GetAsync(string key) => SendAsync(new HttpRequestMessage(HttpMethod.Get, $"./{key}"));

    public Task<Reply> PutAsync(string key, string value) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Put, $"./{key}") { Content = new StringContent(value) });

    /// <summary>Reads a key several times, one after the other.</summary>
    public async Task<List<Reply>> RepeatAsync(int times, string key)
    {
        var replies = new List<Reply>();
        for (var i = 0; i < times; i++)
        {
            replies.Add(await GetAsync(key));
        }

        return replies;
    }

    /// <summary>How long replies took, in words.</summary>
    public static string Times(IEnumerable<Reply> replies)
    {
        var took = replies.Select(reply => reply.Took.TotalMilliseconds).Order().ToList();
        return $"best {took[0]:F1} ms, p50 {took[took.Count / 2]:F1} ms, p99.9 {took[took.Count * 999 / 1_000]:F1} ms, worst {took[^1]:F1} ms of {took.Count}";
    }

    public void Dispose() => _http.Dispose();

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;

    private async Task<Reply> SendAsync(HttpRequestMessage request)
    {
        using (request)
        {
            var sent = Stopwatch.GetTimestamp();
            using var answer = await _http.SendAsync(request);
            var body = await answer.Content.ReadAsStringAsync();
            var took = Stopwatch.GetElapsedTime(sent);
            return new Reply((int)answer.StatusCode, body, answer.Headers.RetryAfter?.ToString(), Header(answer, "X-Cache"), Header(answer, "Cache-Status"), answer.Headers.Age, took);
        }
    }
}
