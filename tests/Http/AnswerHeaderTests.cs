using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>The headers of answers about keys: validators, ages, what the cache did, and which form was chosen.</summary>
[Collection(GatewayCollection.Name)]
public class AnswerHeaderTests(GatewayFixture fixture)
{
    private RunningGateway Gateway => fixture.Gateway;

    [SkippableFact]
    public async Task MissAndHitSayWhatTheyAre()
    {
        await Gateway.Redis.StringSetAsync("told", "v");

        var miss = await Gateway.GetAsync("/get/told");
        var hit = await Gateway.GetAsync("/get/told");

        Assert.Equal(("MISS", "rporleans; fwd=uri-miss; stored", "0"), (miss["X-Cache"], miss["Cache-Status"], miss["Age"]));
        Assert.Equal("HIT", hit["X-Cache"]);
        Assert.Matches("^rporleans; hit; ttl=(5[5-9]|60); detail=expiry$", hit["Cache-Status"]);
        Assert.Matches("^[0-9]$", hit["Age"]);
        foreach (var answer in new[] { miss, hit })
        {
            Assert.Equal(("private, no-cache", "Accept", "nosniff"), (answer["Cache-Control"], answer["Vary"], answer["X-Content-Type-Options"]));
        }
    }

    [SkippableFact]
    public async Task AbsentKeySaysWhatTheCacheDid()
    {
        var answer = await Gateway.GetAsync("/get/absent");

        Assert.Equal(("MISS", "rporleans; fwd=uri-miss", "private, no-cache"), (answer["X-Cache"], answer["Cache-Status"], answer["Cache-Control"]));
        Assert.Equal(("Accept", "nosniff", null), (answer["Vary"], answer["X-Content-Type-Options"], answer["ETag"]));
    }

    [SkippableFact]
    public async Task TimeToLiveIsNeverLongerThanInRedis()
    {
        await Gateway.Redis.StringSetAsync("short", "v", TimeSpan.FromSeconds(7.5));

        await Gateway.GetAsync("/get/short");

        Assert.Matches("^rporleans; hit; ttl=[67]; ", (await Gateway.GetAsync("/get/short"))["Cache-Status"]);
    }

    [SkippableFact]
    public async Task TagIsWeakInJsonAndStrongRaw()
    {
        await Gateway.Redis.StringSetAsync("tagged", "v");

        var json = (await Gateway.GetAsync("/get/tagged"))["ETag"]!;
        var again = (await Gateway.GetAsync("/get/tagged"))["ETag"]!;
        var raw = (await Gateway.GetAsync("/get/tagged", "Accept: application/octet-stream"))["ETag"]!;
        await Gateway.SendAsync("PUT", "/v1/keys/tagged", "w"u8.ToArray());
        var changed = (await Gateway.GetAsync("/get/tagged"))["ETag"]!;

        Assert.Matches("^W/\"[!-~-[\"]]+\"$", json);
        Assert.Matches("^\"[!-~-[\"]]+\"$", raw);
        Assert.Equal(json, again);
        Assert.NotEqual(json, changed);
        Assert.NotEqual(json, $"W/{raw}");
    }

    [SkippableFact]
    public async Task KnownTagIsNotModified()
    {
        await Gateway.Redis.StringSetAsync("known", "v");
        var tag = (await Gateway.GetAsync("/get/known"))["ETag"]!;
        string[] matching = [tag, tag[2..], "*", $"\"x\", {tag}", $"{tag}, W/\"y\"", $"\"a,b\",{tag}", $"\"x\"\r\nIf-None-Match: {tag}"];
        string[] other = ["\"x\"", "W/\"x\"", "x", "\"", tag.Trim('"'), "W/", ",", "\"*\"", $"{tag} junk", tag.ToUpperInvariant()];

        foreach (var method in new[] { "GET", "HEAD" })
        {
            foreach (var condition in matching)
            {
                var answer = await Gateway.SendAsync(method, "/get/known", null, $"If-None-Match: {condition}");
                Assert.Equal((304, tag, "private, no-cache", "Accept"), (answer.Status, answer["ETag"], answer["Cache-Control"], answer["Vary"]));
                Assert.Null(answer["Content-Type"]);
            }

            foreach (var condition in other)
            {
                Assert.Equal((condition, 200), (condition, (await Gateway.SendAsync(method, "/get/known", null, $"If-None-Match: {condition}")).Status));
            }
        }

        Assert.Equal(404, (await Gateway.GetAsync("/get/unknown", "If-None-Match: *")).Status);
        await Gateway.Redis.StringSetAsync("known", "w");
        Assert.Equal(200, (await Gateway.GetAsync("/get/known", $"If-None-Match: {tag}", "Cache-Control: no-cache")).Status);
    }

    [SkippableTheory]
    [InlineData("/get/headed", "application/json", 200)]
    [InlineData("/v1/keys/headed", "application/octet-stream", 200)]
    [InlineData("/get/headed", "text/plain", 200)]
    [InlineData("/get/not-there", "application/json", 404)]
    [InlineData("/", "*/*", 200)]
    [InlineData("/unknown", "*/*", 404)]
    public async Task HeadIsGetWithoutItsBody(string target, string accept, int status)
    {
        await Gateway.Redis.StringSetAsync("headed", "v\u00e9");
        await Gateway.GetAsync(target);

        var get = await Gateway.GetAsync(target, $"Accept: {accept}");
        var head = await Gateway.SendAsync("HEAD", target, null, $"Accept: {accept}");

        Assert.Equal((status, status), (get.Status, head.Status));
        Assert.Equal(Stable(get), Stable(head));
        Assert.Equal($"{get.Body.Length}", head["Content-Length"]);

        static IEnumerable<string> Stable(RawAnswer answer) =>
            answer.Headers.Where(header => header.Name is not ("Date" or "Age" or "Cache-Status")).Select(header => $"{header.Name}: {header.Value}").Order();
    }

    [SkippableFact]
    public async Task HeadIsAnswerWithoutBodyOnAConnectionThatGoesOn()
    {
        await Gateway.Redis.StringSetAsync("pipelined", "v");
        using var connection = await RawHttp.ConnectAsync(Gateway.Port);

        await connection.SendAsync([.. RawHttp.Request("HEAD", "/get/pipelined"), .. RawHttp.Request("HEAD", "/get/none"), .. RawHttp.Request("HEAD", "/get/%zz"), .. RawHttp.Request("GET", "/get/pipelined")]);

        Assert.Equal(200, (await connection.ReceiveAsync(toHead: true)).Status);
        Assert.Equal(404, (await connection.ReceiveAsync(toHead: true)).Status);
        Assert.Equal(400, (await connection.ReceiveAsync(toHead: true)).Status);
        Assert.Equal("v"u8.ToArray(), RunningGateway.Parse(await connection.ReceiveAsync()).Value);
    }

    [SkippableTheory]
    [InlineData(null, "application/json")]
    [InlineData("*/*", "application/json")]
    [InlineData("application/json", "application/json")]
    [InlineData("application/*", "application/json")]
    [InlineData("application/octet-stream", "application/octet-stream")]
    [InlineData("Application/Octet-Stream", "application/octet-stream")]
    [InlineData("text/plain", "text/plain")]
    [InlineData("text/*", "text/plain")]
    [InlineData("text/plain; charset=utf-8", "text/plain")]
    [InlineData("application/octet-stream, */*;q=0.1", "application/octet-stream")]
    [InlineData("*/*;q=0.1, text/plain", "text/plain")]
    [InlineData("text/plain;q=0.5, application/octet-stream;q=0.6", "application/octet-stream")]
    [InlineData("application/json;q=0.5, text/plain;q=0.4", "application/json")]
    [InlineData("application/json;q=0, application/octet-stream", "application/octet-stream")]
    [InlineData("application/json;q=0, */*", "application/octet-stream")]
    [InlineData("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json")]
    [InlineData("image/png", "application/json")]
    [InlineData("rubbish", "application/json")]
    [InlineData("text/plain;q=0", "application/json")]
    [InlineData("text/html, text/plain", "text/plain")]
    [InlineData("text/html\r\nAccept: application/octet-stream", "application/octet-stream")]
    public async Task FormIsTheOneThatIsAcceptedMost(string? accept, string form)
    {
        await Gateway.Redis.StringSetAsync("formed", "v");

        var answer = await Gateway.GetAsync("/get/formed", accept is null ? [] : [$"Accept: {accept}"]);

        Assert.Equal((200, form, "Accept"), (answer.Status, answer["Content-Type"], answer["Vary"]));
        Assert.Equal(form != "application/json", answer.Text == "v");
    }
}
