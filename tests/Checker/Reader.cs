using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using RpOrleans.Checker.Judging;

namespace RpOrleans.Checker;

/// <summary>One reader: asks every gateway, over HTTP and in the Redis protocol, for one key or for several, and now and then Redis itself.</summary>
internal sealed class Reader : IDisposable
{
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(6);

    private static readonly JsonSerializerOptions _web = new(JsonSerializerDefaults.Web);

    private readonly KeySpace _keys;
    private readonly IReadOnlyList<GatewayPorts> _gateways;
    private readonly double _byResp;
    private readonly Random _random;
    private readonly HttpClient _http = Http.Client();
    private readonly RespReads _resp;
    private readonly RedisLink _redis;

    public Reader(int number, Options options, KeySpace keys, IReadOnlyList<GatewayPorts> gateways, int redisPort)
    {
        (_keys, _gateways, _byResp, _random) = (keys, gateways, options.Resp, new Random((options.Seed * 1_000_033) + number));
        _resp = new RespReads(gateways, protocol: 2 + (number % 2), Reads);
        _redis = new RedisLink(redisPort);
    }

    public List<Read> Reads { get; } = new(65_536);

    public async Task RunAsync(CancellationToken stopping)
    {
        var pace = new Pace(_period);
        while (!stopping.IsCancellationRequested)
        {
            var (gateway, byResp, form, key) = (_random.Next(_gateways.Count), _random.NextDouble() < _byResp, _random.NextDouble(), NextKey());
            await (form switch
            {
                < 0.70 => byResp ? _resp.GetAsync(gateway, [key]) : SingleAsync(gateway, key, json: false),
                < 0.83 => byResp ? _resp.GetAsync(gateway, Several(key)) : SingleAsync(gateway, key, json: true),
                < 0.95 => byResp ? _resp.MGetAsync(gateway, Several(key)) : BatchAsync(gateway, Several(key)),
                _ => DirectAsync(key),
            });
            await pace.NextAsync();
        }
    }

    /// <summary>Asks for every key once: through each gateway and at Redis.</summary>
    public async Task RoundAsync()
    {
        for (var key = 0; key < _keys.Count; key++)
        {
            for (var gateway = 0; gateway < _gateways.Count; gateway++)
            {
                await SingleAsync(gateway, key, json: false);
                if (_byResp > 0)
                {
                    await _resp.GetAsync(gateway, [key]);
                }
            }

            await DirectAsync(key);
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _resp.Dispose();
        _redis.Dispose();
    }

    // Half of the reads go where something was written just now, some to few keys that so become hot.
    private int NextKey()
    {
        var (chance, any, hot) = (_random.NextDouble(), _random.Next(_keys.Count), _random.Next(Math.Min(4, _keys.Count)));
        return chance < 0.5 ? _keys.Recent(_random) : chance < 0.7 ? hot : any;
    }

    private int[] Several(int key) => [.. Enumerable.Range(0, 2 + _random.Next(8)).Select(_ => NextKey()).Append(key).Distinct()];

    private async Task SingleAsync(int gateway, int key, bool json)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{_gateways[gateway].Http}/v1/keys/{Values.Key(key)}");
        if (!json)
        {
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/plain"));
        }

        var form = json ? ReadForm.Json : ReadForm.Raw;
        var start = Clock.Now;
        try
        {
            using var answer = await _http.SendAsync(request);
            var body = await answer.Content.ReadAsByteArrayAsync();
            var took = Clock.Now - start;
            var value = answer.StatusCode != HttpStatusCode.OK ? null : json ? JsonValue(body) : Encoding.UTF8.GetString(body);
            var (outcome, version) = Judge((int)answer.StatusCode, value, key);
            Reads.Add(new Read(
                start, took, version, (ushort)key, (short)answer.StatusCode, (byte)gateway, outcome, Word(answer), form, IsMarked(answer),
                (ushort)Math.Min(answer.Headers.Age?.TotalSeconds ?? 0, ushort.MaxValue)));
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException or IOException)
        {
            Reads.Add(new Read(start, Clock.Now - start, 0, (ushort)key, 0, (byte)gateway, ReadOutcome.NoAnswer, CacheWord.None, form, false, 0));
        }
    }

    private async Task BatchAsync(int gateway, int[] asked)
    {
        using var content = new StringContent(JsonSerializer.Serialize(new { keys = asked.Select(Values.Key) }), Encoding.UTF8, "application/json");
        var start = Clock.Now;
        try
        {
            using var answer = await _http.PostAsync($"http://127.0.0.1:{_gateways[gateway].Http}/v1/keys:batchGet", content);
            var body = await answer.Content.ReadAsByteArrayAsync();
            var took = Clock.Now - start;
            var results = answer.IsSuccessStatusCode ? Results(body, asked.Length) : null;
            for (var i = 0; i < asked.Length; i++)
            {
                var (status, outcome, version, marked) = results is null
                    ? ((int)answer.StatusCode, answer.IsSuccessStatusCode ? ReadOutcome.Malformed : ReadOutcome.Error, 0, false)
                    : Judge(results[i], asked[i]);
                Reads.Add(new Read(start, took, version, (ushort)asked[i], (short)status, (byte)gateway, outcome, CacheWord.None, ReadForm.Batch, marked, 0));
            }
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException or IOException)
        {
            Reads.Add(new Read(start, Clock.Now - start, 0, (ushort)asked[0], 0, (byte)gateway, ReadOutcome.NoAnswer, CacheWord.None, ReadForm.Batch, false, 0));
        }
    }

    private async Task DirectAsync(int key)
    {
        var start = Clock.Now;
        try
        {
            var value = await _redis.CommandAsync("GET", Values.Key(key));
            var took = Clock.Now - start;
            var (outcome, version) = Judge(value is null ? 404 : 200, value, key);
            Reads.Add(new Read(start, took, version, (ushort)key, 0, History.Redis, outcome, CacheWord.None, ReadForm.Direct, false, 0));
        }
        catch (IOException)
        {
            // Redis is down; it promises nothing.
        }
    }

    private static (ReadOutcome Outcome, int Version) Judge(int status, string? value, int key) => status switch
    {
        404 => (ReadOutcome.Absent, 0),
        200 => value is null || Values.Parse(value) is not { } parsed ? (ReadOutcome.Malformed, 0)
            : parsed.Key != key ? (ReadOutcome.OtherKey, parsed.Version)
            : (ReadOutcome.Value, parsed.Version),
        _ => (ReadOutcome.Error, 0),
    };

    /// <summary>One result of a batch.</summary>
    private static (int Status, ReadOutcome Outcome, int Version, bool Marked) Judge(Result result, int key)
    {
        if (result.Key != Values.Key(key))
        {
            return (200, ReadOutcome.OtherKey, 0, false); // the order is not kept
        }

        var status = result.Error?.Status ?? (result.Found ? 200 : 404);
        var (outcome, version) = Judge(status, result.Value, key);
        return (status, outcome, version, result.Stale);
    }

    /// <summary>The value in an answer in JSON; <see langword="null"/> when it is not what it must be.</summary>
    private static string? JsonValue(byte[] body)
    {
        try
        {
            return JsonSerializer.Deserialize<Result>(body, _web)?.Value;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The results in the answer to a batch; <see langword="null"/> when it is not what it must be.</summary>
    private static Result[]? Results(byte[] body, int count)
    {
        try
        {
            return JsonSerializer.Deserialize<Batch>(body, _web)?.Results is { } results && results.Length == count ? results : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static CacheWord Word(HttpResponseMessage answer) => Header(answer, "X-Cache") switch
    {
        "HIT" => CacheWord.Hit,
        "MISS" => CacheWord.Miss,
        "STALE" => CacheWord.Stale,
        "NEGATIVE" => CacheWord.Negative,
        "BYPASS" => CacheWord.Bypass,
        _ => CacheWord.None,
    };

    private static bool IsMarked(HttpResponseMessage answer) =>
        Word(answer) == CacheWord.Stale
        || Header(answer, "Cache-Status") is { } status
        && (status.Contains("unconfirmed", StringComparison.Ordinal) || status.Contains("fwd=stale", StringComparison.Ordinal));

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? values.First() : null;

    private sealed record Batch(Result[] Results);

    private sealed record Result(string? Key, bool Found, string? Value, bool Stale, Failure? Error);

    private sealed record Failure(int Status);
}
