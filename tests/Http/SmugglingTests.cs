using System.Text;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>Requests that two servers could read differently are refused, and nothing after them on the connection is read.</summary>
[Collection(GatewayCollection.Name)]
public class SmugglingTests(GatewayFixture fixture)
{
    private const string Put = "PUT /v1/keys/smuggled HTTP/1.1\r\nHost: a\r\n";
    private const string Chunk = "1\r\nx\r\n0\r\n\r\n";
    private const string Chunked = Put + "Transfer-Encoding: chunked\r\n";

    public static TheoryData<string> Ambiguous => new(
        // a length and a transfer encoding
        Chunked + "Content-Length: 4\r\n\r\n" + Chunk, Put + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunk,
        Chunked + "Content-Length: 0\r\n\r\n" + Chunk, Put + "Content-Length: 11\r\nTransfer-Encoding: identity\r\n\r\n" + Chunk,
        Put + "content-length: 11\r\ntransfer-encoding: CHUNKED\r\n\r\n" + Chunk, Chunked + "Content-Length: 4\r\nContent-Length: 4\r\n\r\n" + Chunk,
        "GET /get/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        // transfer encodings that are not just "chunked"
        Put + "Transfer-Encoding: xchunked\r\n\r\n" + Chunk, Put + "Transfer-Encoding: identity\r\n\r\n" + Chunk, Put + "Transfer-Encoding: chunked, identity\r\n\r\n" + Chunk,
        Put + "Transfer-Encoding: gzip\r\n\r\n" + Chunk, Put + "Transfer-Encoding: gzip, chunked\r\n\r\n" + Chunk, Put + "Transfer-Encoding: chunked, chunked\r\n\r\n" + Chunk,
        Put + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + Chunk, Put + "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunk,
        Put + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunk, Put + "Transfer-Encoding: \"chunked\"\r\n\r\n" + Chunk,
        Put + "Transfer-Encoding: chunked;q=1\r\n\r\n" + Chunk, Put + "Transfer-Encoding:\r\n\r\n" + Chunk, Put + "Transfer-Encoding: \u000bchunked\r\n\r\n" + Chunk,
        Put + "Transfer-Encoding: chunk\r\n\r\n" + Chunk, Put + "Transfer-Encoding: chunked\u0000\r\n\r\n" + Chunk,
        "PUT /v1/keys/smuggled HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" + Chunk,
        "PUT /v1/keys/smuggled HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + Chunk,
        // lengths
        Put + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", Put + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", Put + "Content-Length: 1, 1\r\n\r\nx", Put + "Content-Length: 1, 2\r\n\r\nxx",
        Put + "Content-Length: +1\r\n\r\nx", Put + "Content-Length: -1\r\n\r\nx", Put + "Content-Length: 0x1\r\n\r\nx", Put + "Content-Length: 1x\r\n\r\nx", Put + "Content-Length: x\r\n\r\nx",
        Put + "Content-Length: 1.0\r\n\r\nx", Put + "Content-Length: 1 1\r\n\r\nx", Put + "Content-Length:\r\n\r\nx", Put + "Content-Length: 99999999999999999999\r\n\r\nx",
        Put + "Content-Length: \"1\"\r\n\r\nx", Put + "Content-Length: 1\u0000\r\n\r\nx", Put + "Content-Length: \u00b2\r\n\r\nxx",
        // line ends and spaces
        "PUT /v1/keys/smuggled HTTP/1.1\nHost: a\nContent-Length: 1\n\nx", "PUT /v1/keys/smuggled HTTP/1.1\r\nHost: a\nContent-Length: 1\r\n\r\nx",
        Put + "Content-Length: 1\n\r\nx", Put + "Content-Length: 1\r\n\nx", Put + "A: b\nContent-Length: 1\r\n\r\nx", Put + "A: b\rContent-Length: 5\r\nContent-Length: 1\r\n\r\nx",
        "PUT /v1/keys/smuggled HTTP/1.1\rHost: a\r\nContent-Length: 1\r\n\r\nx", Put + "Content-Length: 1\r\r\n\r\nx", Put + "Content-Length: 1\r\n\rx\r\n",
        Put + "A: b\r\n c\r\nContent-Length: 1\r\n\r\nx", Put + "A: b\r\n\tc\r\nContent-Length: 1\r\n\r\nx", Put + "Content-Length:\r\n 1\r\n\r\nx", Put + " Content-Length: 1\r\n\r\nx",
        "PUT /v1/keys/smuggled HTTP/1.1\r\n Host: a\r\nContent-Length: 1\r\n\r\nx",
        Put + "Content-Length : 1\r\n\r\nx", Put + "Content-Length\t: 1\r\n\r\nx", Put + "Transfer-Encoding : chunked\r\n\r\n" + Chunk, Put + "Content-Length\r\n\r\nx", Put + ": 1\r\nContent-Length: 1\r\n\r\nx",
        Put + "A: \u0000\r\nContent-Length: 1\r\n\r\nx", Put + "A\u0000: b\r\nContent-Length: 1\r\n\r\nx",
        // hosts
        "GET /get/a HTTP/1.1\r\n\r\n", "GET /get/a HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "GET /get/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET /get/a HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET http://a/get/a HTTP/1.1\r\nHost: b\r\n\r\n", "GET /get/a HTTP/1.1\r\nHost: a/b\r\n\r\n",
        // request lines
        "GET /\r\n\r\n", "GET /get/a\r\n\r\n", "GET\r\n\r\n", "GET /get/a HTTP/1.1 x\r\nHost: a\r\n\r\n", "GET  /get/a HTTP/1.1\r\nHost: a\r\n\r\n", 
        "GET\t/get/a\tHTTP/1.1\r\nHost: a\r\n\r\n", "GET /get/a b HTTP/1.1\r\nHost: a\r\n\r\n", " GET /get/a HTTP/1.1\r\nHost: a\r\n\r\n", "G@T /get/a HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /get/a HTTP/1.1\r\r\nHost: a\r\n\r\n", "GET get/a HTTP/1.1\r\nHost: a\r\n\r\n", "GET \\get\\a HTTP/1.1\r\nHost: a\r\n\r\n", "\0GET /get/a HTTP/1.1\r\nHost: a\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n", "\r\nGET\r\n\r\n");

    public static TheoryData<string> BadChunks => new(
        "x\r\n", "1x\r\nx\r\n0\r\n\r\n", "0x1\r\nx\r\n0\r\n\r\n", "-1\r\nx\r\n0\r\n\r\n", "+1\r\nx\r\n0\r\n\r\n", "1\nx\n0\n\n", "1\r\nx0\r\n\r\n", "1\r\nxx\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\nx\r\n", "FFFFFFFFFFFFFFFF\r\nx\r\n", " 1\r\nx\r\n0\r\n\r\n", "\r\n1\r\nx\r\n0\r\n\r\n", ";a\r\nx\r\n0\r\n\r\n",
        "1\r\nx\n0\r\n\r\n", "1;a\nb\r\nx\r\n0\r\n\r\n", "1\rx\r\n0\r\n\r\n", "1\r\nx\r\n0\r\nA : b\r\n\r\n", "1\r\nx\r\n0\r\n b\r\n\r\n", "1\r\nx\r\n0\r\nA: b\n\r\n", "1,1\r\nx\r\n0\r\n\r\n", "1\r\nx\r\n0\r\nA: \u00e5\r\n\r\n", "1\r\nx\r\n0\r\nA: \0\r\n\r\n");

    private RunningGateway Gateway => fixture.Gateway;

    [SkippableTheory]
    [MemberData(nameof(Ambiguous))]
    public async Task AmbiguousRequestIsRefusedAndTheConnectionClosed(string request) => await AssertRefusedAsync(request, 400);

    [SkippableTheory]
    [MemberData(nameof(BadChunks))]
    public async Task BadChunkIsRefusedAndTheConnectionClosed(string body) => await AssertRefusedAsync(Chunked + "\r\n" + body, 400);

    [SkippableTheory]
    [InlineData("7FFFFFFFFFFFFFFF\r\nx\r\n")]
    [InlineData("80000000\r\nx\r\n")]
    public async Task HugeChunkIsRefusedOnItsAnnouncement(string body) => await AssertRefusedAsync(Chunked + "\r\n" + body, 400, 413);

    [SkippableTheory]
    [InlineData("*1\r\n$7\r\nFLUSHDB\r\n")]
    [InlineData("*3\r\n$3\r\nSET\r\n$8\r\nsmuggled\r\n$1\r\nx\r\n")]
    [InlineData("SET smuggled x\r\n")]
    [InlineData("PING\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0")]
    [InlineData("\u0016\u0003\u0001\u0000\u00c5\u0001\u0000\u0000\u00c1\u0003\u0003rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr\u0000\u0000\u0008\u0013\u0001\u0013\u0002\u00c0\u002f\u0000\u00ff\u0001\u0000")]
    [InlineData("\u0000\u0001\u0002\u0003\u0004")]
    [InlineData("SSH-2.0-OpenSSH_9.9\r\n")]
    [InlineData("\r\n\r\n\r\nQUIT\r\n\r\n")]
    [InlineData("GET /get/a HTTP/2.0\r\nHost: a\r\n\r\n")]
    [InlineData("GET /get/a http/1.1\r\nHost: a\r\n\r\n")]
    [InlineData("GET /get/a HTTP/1.2\r\nHost: a\r\n\r\n")]
    [InlineData("GET /get/a HTTP/0.9\r\nHost: a\r\n\r\n")]
    public async Task OtherProtocolsAreAnsweredWithAnErrorOrNothing(string bytes)
    {
        await Gateway.Redis.StringSetAsync("smuggled", "before");
        using var connection = await RawHttp.ConnectAsync(Gateway.Port);

        await connection.SendAsync(bytes);
        connection.EndSending();
        var answer = Encoding.Latin1.GetString(await connection.ReadToCloseAsync());

        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 400 ", StringComparison.Ordinal) || answer.StartsWith("HTTP/1.1 505 ", StringComparison.Ordinal)
            || bytes.StartsWith("PRI", StringComparison.Ordinal) && answer.Length < 64, answer); // or HTTP/2's own way of saying so
        Assert.Equal("before", (string?)await Gateway.Redis.StringGetAsync("smuggled"));
        await Gateway.LivesAsync();
    }

    /// <summary>Refused, and a request after it is not answered.</summary>
    private async Task AssertRefusedAsync(string request, params int[] statuses)
    {
        await Gateway.Redis.StringSetAsync("smuggled", "before");
        using var connection = await RawHttp.ConnectAsync(Gateway.Port);

        await connection.SendAsync(request + "GET /get/smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        var answer = await connection.ReceiveAsync();

        Assert.Contains(answer.Status, statuses);
        Assert.True(answer.SaysClose);
        Assert.True(await connection.IsClosedWithinAsync(TimeSpan.FromSeconds(5)));
        Assert.Equal("before", (string?)await Gateway.Redis.StringGetAsync("smuggled"));
    }
}
