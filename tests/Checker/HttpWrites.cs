using System.Text;
using System.Text.Json;
using RpOrleans.Checker.Judging;

namespace RpOrleans.Checker;

/// <summary>Writes through gateways over HTTP.</summary>
internal sealed class HttpWrites(string writer, IReadOnlyList<GatewayPorts> gateways) : IDisposable
{
    private readonly HttpClient _http = Http.Client();

    /// <summary>Writes one key.</summary>
    /// <returns>What came of it.</returns>
    public async Task<Write> SendAsync(Write write, bool posts)
    {
        using var request = Request(write, posts);
        try
        {
            using var answer = await _http.SendAsync(request);
            await answer.Content.ReadAsByteArrayAsync();
            return Writer.Answered(write, answer.IsSuccessStatusCode, (int)answer.StatusCode);
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException or IOException)
        {
            return Writer.Answered(write, acknowledged: false, 0);
        }
    }

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Request(Write write, bool posts)
    {
        var key = Values.Key(write.Key);
        var at = $"http://127.0.0.1:{gateways[write.Gateway].Http}";
        if (write.Deletes)
        {
            return new HttpRequestMessage(HttpMethod.Delete, $"{at}/v1/keys/{key}");
        }

        var value = Values.Value(write.Key, write.Version, writer);
        var lives = write.TimeToLive > TimeSpan.Zero;
        return posts
            ? new HttpRequestMessage(HttpMethod.Post, $"{at}/set")
            {
                Content = new StringContent(
                    $"{{\"k\": {JsonSerializer.Serialize(key)}, \"v\": {JsonSerializer.Serialize(value)}{(lives ? $", \"px\": {Writer.Milliseconds(write)}" : "")}}}", Encoding.UTF8, "application/json"),
            }
            : new HttpRequestMessage(HttpMethod.Put, $"{at}/v1/keys/{key}{(lives ? $"?px={Writer.Milliseconds(write)}" : "")}") { Content = new StringContent(value) };
    }
}
