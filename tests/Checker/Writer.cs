using System.Globalization;
using System.Text;
using System.Text.Json;
using RpOrleans.Checker.Judging;

namespace RpOrleans.Checker;

/// <summary>One writer: writes and deletes keys through gateways and at Redis, for ever or with a time to live.</summary>
internal sealed class Writer(int number, Options options, KeySpace keys, IReadOnlyList<int> gateways, int redisPort)
{
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(15);
    private static readonly int[] _timesToLive = [150, 400, 1_000, 3_000];

    private readonly Random _random = new((options.Seed * 1_000_003) + number);
    private readonly string _name = $"w{number}";

    public async Task RunAsync(CancellationToken stopping)
    {
        using var http = Http.Client();
        using var redis = new RedisLink(redisPort);
        var pace = new Pace(_period);
        while (!stopping.IsCancellationRequested)
        {
            // Every decision is drawn, whatever comes of it, so that the same seed draws the same.
            var (key, where, deletes) = (_random.Next(keys.Count), _random.NextDouble(), _random.NextDouble() < 0.12);
            var (gateway, posts) = (_random.Next(gateways.Count), _random.Next(2) == 0);
            var life = _random.NextDouble() < 0.2 ? TimeSpan.FromMilliseconds(_timesToLive[_random.Next(_timesToLive.Length)]) : TimeSpan.Zero;
            if (keys.TryHold(key))
            {
                var outside = where < options.Outside;
                var write = new Write(
                    Clock.Now, TimeSpan.MaxValue, TimeSpan.Zero, (ushort)key, keys.NextVersion(key), outside ? History.Redis : (byte)gateway,
                    deletes, deletes ? TimeSpan.Zero : life, Outcome.Unsettled, Status: 0);
                keys.Begin(write);
                keys.End(outside ? await AtRedisAsync(redis, write) : await ThroughGatewayAsync(http, write, posts));
            }

            await pace.NextAsync();
        }
    }

    private async Task<Write> AtRedisAsync(RedisLink redis, Write write)
    {
        var key = Values.Key(write.Key);
        string[] set = ["SET", key, Values.Value(write.Key, write.Version, _name)];
        try
        {
            await redis.CommandAsync(
                write.Deletes ? ["DEL", key]
                : write.TimeToLive > TimeSpan.Zero ? [.. set, "PX", Milliseconds(write)]
                : set);
            return Answered(write, Outcome.Acknowledged, 0);
        }
        catch (IOException)
        {
            return Answered(write, Outcome.Unsettled, 0);
        }
    }

    private async Task<Write> ThroughGatewayAsync(HttpClient http, Write write, bool posts)
    {
        using var request = Request(write, posts);
        try
        {
            using var answer = await http.SendAsync(request);
            await answer.Content.ReadAsByteArrayAsync();
            return Answered(write, answer.IsSuccessStatusCode ? Outcome.Acknowledged : Outcome.Unsettled, (short)answer.StatusCode);
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException or IOException)
        {
            return Answered(write, Outcome.Unsettled, 0);
        }
    }

    private HttpRequestMessage Request(Write write, bool posts)
    {
        var key = Values.Key(write.Key);
        var at = $"http://127.0.0.1:{gateways[write.Gateway]}";
        if (write.Deletes)
        {
            return new HttpRequestMessage(HttpMethod.Delete, $"{at}/v1/keys/{key}");
        }

        var value = Values.Value(write.Key, write.Version, _name);
        var lives = write.TimeToLive > TimeSpan.Zero;
        return posts
            ? new HttpRequestMessage(HttpMethod.Post, $"{at}/set")
            {
                Content = new StringContent(
                    $"{{\"k\": {JsonSerializer.Serialize(key)}, \"v\": {JsonSerializer.Serialize(value)}{(lives ? $", \"px\": {Milliseconds(write)}" : "")}}}", Encoding.UTF8, "application/json"),
            }
            : new HttpRequestMessage(HttpMethod.Put, $"{at}/v1/keys/{key}{(lives ? $"?px={Milliseconds(write)}" : "")}") { Content = new StringContent(value) };
    }

    private static string Milliseconds(Write write) => write.TimeToLive.TotalMilliseconds.ToString(CultureInfo.InvariantCulture);

    private static Write Answered(Write write, Outcome outcome, short status)
    {
        var now = Clock.Now;
        return write with { Took = now - write.Start, Outcome = outcome, End = outcome == Outcome.Unsettled ? TimeSpan.MaxValue : now, Status = status };
    }
}
