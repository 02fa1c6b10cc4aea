using System.Text;
using CsCheck;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>Whatever bytes come in, no answer is an HTTP 500, and the process goes on.</summary>
public class FuzzTests(GatewayFixture fixture) : IClassFixture<GatewayFixture>
{
    private const int Requests = 20_000;
    private const string Seed = "0000KDWWj1Y3"; // the same requests every time

    private static readonly byte[][] _valid =
    [
        RawHttp.Request("GET", "/get/fuzz"), RawHttp.Request("GET", "/get/f%00z%2F%ff"), RawHttp.Request("GET", "/v1/keys/fuzz", null, "Accept: text/plain", "If-None-Match: \"x\", *"),
        RawHttp.Request("HEAD", "/get/fuzz", null, "Cache-Control: no-cache, max-age=5"), RawHttp.Request("GET", "/"), RawHttp.Request("GET", "http://localhost/get/fuzz?a=b"),
        RawHttp.Request("POST", "/set", "{\"k\": \"fuzz\", \"v\": \"\\ud83d\\ude00\", \"ex\": 60}"u8.ToArray()), RawHttp.Request("POST", "/", "{\"k\": \"fuzz\", \"v\": 1.10e5}"u8.ToArray()),
        RawHttp.Request("PUT", "/v1/keys/fuzz?ex=60", [0, 255, 10, 13], "If-None-Match: *"), RawHttp.Request("DELETE", "/v1/keys/fuzz"),
        RawHttp.Request("POST", "/v1/keys:batchGet", "{\"keys\": [\"fuzz\", \"\\u0000\", \"none\"]}"u8.ToArray()),
        "PUT /v1/keys/f%00 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: x\r\n\r\n"u8.ToArray(),
    ];

    private static readonly string[] _splices =
    [
        "\r\n", "\n", "\r", "\0", "%00", "%", "%zz", "%\u0001\u0002", " ", "\t", ":", "/", "?", "#", "..", ",", ";", "\"", "\\", "{", "[", "\u00ff", "\u00c3", "*", "0", "-1", "99999999999999999999",
        "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n", "Connection: close\r\n", "Connection: upgrade\r\nUpgrade: h2c\r\n", "Accept: */*;q=\r\n", "HTTP/1.0", "HEAD ", "\r\n\r\n",
    ];

    private static readonly Gen<Func<byte[], byte[]>> _mutation = Gen.OneOf(
        Gen.Select(Gen.Double.Unit, Gen.Byte, (at, b) => (Func<byte[], byte[]>)(bytes => With(bytes, at, 1, [b]))),
        Gen.Select(Gen.Double.Unit, Gen.Int[0, 20], (at, count) => (Func<byte[], byte[]>)(bytes => With(bytes, at, count, []))),
        Gen.Select(Gen.Double.Unit, Gen.OneOf(_splices), Gen.Int[0, 3], (at, text, over) => (Func<byte[], byte[]>)(bytes => With(bytes, at, over, Encoding.Latin1.GetBytes(text)))),
        Gen.Select(Gen.Double.Unit, Gen.Double.Unit, Gen.Int[1, 30], (from, to, count) => (Func<byte[], byte[]>)(bytes => With(bytes, to, 0, Part(bytes, from, count)))));

    private static readonly Gen<byte[]> _request = Gen.Select(Gen.OneOf(_valid), _mutation.Array[1, 4], (valid, mutations) => mutations.Aggregate(valid, (bytes, mutate) => mutate(bytes)));

    [SkippableFact]
    public async Task NoRequestIsAnsweredWith500()
    {
        var gateway = fixture.Gateway;
        await gateway.Redis.StringSetAsync("fuzz", "v");
        var answered = 0;

        await _request.SampleAsync(
            async request =>
            {
                using var connection = await RawHttp.ConnectAsync(gateway.Port);
                await connection.SendAsync(request);
                connection.EndSending();
                var everything = Encoding.Latin1.GetString(await connection.ReadToCloseAsync());
                Assert.True(everything.Length == 0 || everything.StartsWith("HTTP/1.1 ", StringComparison.Ordinal), everything);
                Assert.DoesNotContain("HTTP/1.1 500", everything, StringComparison.Ordinal);
                Interlocked.Add(ref answered, everything.Length == 0 ? 0 : 1);
            },
            iter: Requests, threads: 2, seed: Seed, print: request => Encoding.Latin1.GetString(request));

        Assert.True(answered > Requests / 2, $"Only {answered} of {Requests} were answered.");
        await gateway.LivesAsync();
        Assert.Equal(204, (await gateway.SendAsync("PUT", "/v1/keys/fuzz", "v"u8.ToArray())).Status);
        Assert.Equal("v"u8.ToArray(), (await gateway.ReadAsync("/get/fuzz")).Value);
    }

    private static byte[] With(byte[] bytes, double at, int over, byte[] put)
    {
        var start = (int)(at * bytes.Length);
        return [.. bytes.AsSpan(0, start), .. put, .. bytes.AsSpan(Math.Min(start + over, bytes.Length))];
    }

    private static byte[] Part(byte[] bytes, double from, int count)
    {
        var start = (int)(from * bytes.Length);
        return bytes[start..Math.Min(start + count, bytes.Length)];
    }
}
