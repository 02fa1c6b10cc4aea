using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RpOrleans.Gateway;
using RpOrleans.Gateway.Http;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains.Placement;
using RpOrleans.Grains.Settings;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>Between a connection and Kestrel: plain reads are answered there, everything else goes on to it as it came.</summary>
public sealed class DirectReadsTests : IDisposable
{
    private const string Other = "PUT /v1/keys/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";

    private readonly FakeTimeProvider _time = new();
    private readonly FakeNode _node = new("10.0.0.1:11111");
    private readonly ApplicationLifetime _lifetime = new(NullLogger<ApplicationLifetime>.Instance);
    private readonly GatewayMetrics _metrics = new();
    private readonly Pipe _received = new();
    private readonly Pipe _sent = new(new PipeOptions(pauseWriterThreshold: 100_000, resumeWriterThreshold: 50_000));
    private readonly DefaultConnectionContext _connection;
    private readonly PipeReader _kestrel;
    private DirectReads.Requests _requests = null!;

    public DirectReadsTests()
    {
        var link = new NodeLink(_node.Name, RendezvousHash.HashNode(_node.Name), _time);
        link.Heard(_node, default, _time.GetTimestamp());
        var nodes = new Nodes();
        nodes.Update(new NodeRing([link]), []);
        var reads = new DirectReads(new Router(nodes, new CoherenceOptions(), _time), new CacheOptions(), _metrics, _lifetime, _time);
        _connection = new DefaultConnectionContext("1", new Ends(_received.Reader, _sent.Writer), new Ends(_sent.Reader, _received.Writer));
        PipeReader? kestrel = null;
        _ = reads.Middleware(connection =>
        {
            kestrel = connection.Transport.Input;
            _requests = connection.Features.Get<DirectReads.Requests>()!;
            return new TaskCompletionSource().Task;
        })(_connection);
        _kestrel = kestrel!;
        _node.Held["a"] = "apple";
        _node.Held["b"] = "banana";
    }

    [Fact]
    public async Task PlainReadIsAnsweredAndKestrelSeesNothingOfIt()
    {
        var seen = SeeAsync();

        await ReceiveAsync(Get("a") + Get("b"));

        var answers = await SentAsync(2);
        Assert.Matches("^HTTP/1.1 200 OK\r\n[^{]*{\"value\": \"apple\", \"source\": \"cache\"}HTTP/1.1 200 OK\r\n[^{]*{\"value\": \"banana\", \"source\": \"cache\"}$", answers);
        Assert.False(seen.IsCompleted);
        Assert.Equal(2, _metrics.Requests["hit"]);
    }

    [Fact]
    public async Task WhatIsNotHeldIsReadAndAnsweredToo()
    {
        await ReceiveAsync(Get("c"));

        _ = SeeAsync();

        Assert.Matches("X-Cache: MISS\r\nCache-Status: rporleans; fwd=uri-miss\r\n\r\n{\"value\": \"from 10.0.0.1:11111\", \"source\": \"redis\"}$", await SentAsync(1));
        Assert.Equal(1, _metrics.Requests["miss"]);
    }

    [Fact]
    public async Task KestrelSeesTheRestAsItCameAndThenPlainReadsAreAnsweredAgain()
    {
        await ReceiveAsync(Get("a") + Other + Get("b"));

        Assert.Equal(Other + Get("b"), await SeeAsync(Other.Length));
        Assert.Contains("apple", await SentAsync(1), StringComparison.Ordinal);
        _requests.AwaitHead();
        var seen = SeeAsync();
        Assert.Contains("banana", await SentAsync(1), StringComparison.Ordinal);
        Assert.False(seen.IsCompleted);
    }

    [Fact]
    public async Task RequestOfWhichKestrelHasSeenAPartIsKestrels()
    {
        await ReceiveAsync(Get("a")[..20]);
        Assert.Equal(Get("a")[..20], await SeeAsync(0));

        await ReceiveAsync(Get("a")[20..]);

        Assert.Equal(Get("a"), await SeeAsync(Get("a").Length));
    }

    [Fact]
    public async Task KestrelSeesOneARequestASecondSoThatItKnowsThatTheConnectionIsUsed()
    {
        _time.Advance(TimeSpan.FromSeconds(0.9));
        var seen = SeeAsync(Get("a").Length);
        await ReceiveAsync(Get("a"));
        await SentAsync(1);
        _time.Advance(TimeSpan.FromSeconds(0.1));

        await ReceiveAsync(Get("a"));

        Assert.Equal(Get("a"), await seen.WaitAsync(TimeSpan.FromSeconds(20)));
        _requests.AwaitHead();
        _ = SeeAsync();
        await ReceiveAsync(Get("b"));
        Assert.Contains("banana", await SentAsync(1), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhenTheGatewayStopsKestrelSeesAllOfIt()
    {
        _lifetime.StopApplication();

        await ReceiveAsync(Get("a"));

        Assert.Equal(Get("a"), await SeeAsync());
    }

    [Theory]
    [InlineData("a \"quoted\" one")]
    [InlineData(null)]
    public async Task WhatKestrelHasToAnswerIsNotAskedForAgain(string? value)
    {
        _node.Held["c"] = value ?? new string('x', 20_000);

        await ReceiveAsync(Get("a") + Get("c"));

        Assert.Equal(Get("c"), await SeeAsync());
        Assert.Contains("apple", await SentAsync(1), StringComparison.Ordinal);
        Assert.Equal(_node.Held["c"], Encoding.UTF8.GetString(_requests.TakeKnown()!.Value.Answer.Value.Span));
        Assert.Null(_requests.TakeKnown());
        Assert.Equal(2, _node.Batches.Count);
    }

    [Fact]
    public async Task ClientThatTakesNothingIsCutAfterFiveSeconds()
    {
        _node.Held["c"] = new string('x', 10_000);
        var cut = new TaskCompletionSource();
        _connection.ConnectionClosed.Register(cut.SetResult);
        await ReceiveAsync(string.Concat(Enumerable.Repeat(Get("c"), 20)));
        _ = SeeAsync();

        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(cut.Task.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.1));

        await cut.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    public void Dispose() => _metrics.Dispose();

    private static string Get(string key) => $"GET /get/{key} HTTP/1.1\r\nHost: a\r\n\r\n";

    private async Task ReceiveAsync(string text) => await _received.Writer.WriteAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>What Kestrel sees next, of which it takes so many bytes, or waits for more.</summary>
    private async Task<string> SeeAsync(int? takes = null)
    {
        var read = await _kestrel.ReadAsync();
        var text = Encoding.Latin1.GetString(System.Buffers.BuffersExtensions.ToArray(read.Buffer));
        var taken = read.Buffer.GetPosition(takes ?? text.Length);
        _kestrel.AdvanceTo(taken, takes == 0 ? read.Buffer.End : taken);
        return text;
    }

    /// <summary>What is sent to the client, so many answers.</summary>
    private async Task<string> SentAsync(int answers)
    {
        var text = "";
        while (text.Split("HTTP/1.1 ").Length <= answers || !text.EndsWith('}'))
        {
            var read = await _sent.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));
            text += Encoding.Latin1.GetString(System.Buffers.BuffersExtensions.ToArray(read.Buffer));
            _sent.Reader.AdvanceTo(read.Buffer.End);
        }

        return text;
    }

    private sealed class Ends(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
