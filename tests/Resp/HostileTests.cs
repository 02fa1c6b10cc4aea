using System.Diagnostics;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using CsCheck;
using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Resp.Differential;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Resp;

/// <summary>Clients that mean harm, or speak something else.</summary>
[Collection(ProcessesCollection.Name)]
[Trait(Beside.Name, Beside.Others)]
public sealed class HostileTests(HostileTests.Fixture fixture, ITestOutputHelper output) : IClassFixture<HostileTests.Fixture>, IAsyncLifetime
{
    /// <summary>Who holds the gateway up is cut within so long; what a busy machine adds is allowed for.</summary>
    private static readonly TimeSpan _cutAtMost = TimeSpan.FromSeconds(10 + 4);

    /// <summary>Mutated frames that are sent; RPORLEANS_MUTATED_SENT sets another number.</summary>
    private static readonly int _frames = int.Parse(Environment.GetEnvironmentVariable("RPORLEANS_MUTATED_SENT") ?? "20000", CultureInfo.InvariantCulture);

    // Memory may grow by ten times what is sent, by what a connection takes even if it sends nothing, and by what the collector
    // has not collected yet: it lets a process this small grow by some tens of megabytes before it looks for what can go.
    private const long TimesSent = 10;
    private const long BytesPerConnection = 16 * 1024;
    private const long BytesNotCollected = 96 * 1024 * 1024;

    private readonly RedisServer _redis = fixture.Redis;
    private readonly AllInOne _gateway = fixture.Gateway;
    private RespSocket _bystander = null!;

    public async Task InitializeAsync()
    {
        await _redis.CommandAsync("CONFIG", "RESETSTAT");
        _bystander = await ConnectAsync();
        await SaysAsync("+OK\r\n", "SET", "key", "value");
    }

    public Task DisposeAsync()
    {
        output.WriteLine(_gateway.Process.TakeReport());
        _bystander.Dispose();
        return Task.CompletedTask;
    }

    [SkippableTheory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n*2\r\n$4\r\nINCR\r\n$7\r\nhostile\r\n")]
    [InlineData("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 14\r\n\r\nINCR hostile\r\n")]
    [InlineData("PUT /hostile HTTP/1.1\r\nINCR hostile\r\nINCR: hostile\r\n\r\nINCR hostile\r\n")]
    [InlineData("OPTIONS * HTTP/1.0\n\nINCR hostile\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nINCR hostile\r\n")]
    [InlineData("post\r\nINCR hostile\r\n")]
    [InlineData("Host: a\r\nINCR hostile\r\n")]
    [InlineData("\u0016\u0003\u0001\u0000\u00c5\u0001\u0000\u0000\u00c1\u0003\u0003\r\nINCR hostile\r\n")]
    [InlineData("\u0016\u0003\u0001\nINCR hostile\n")]
    public async Task OtherProtocolsRunNoCommandAndAreHungUpOn(string bytes)
    {
        using var client = await ConnectAsync();

        await client.SendAsync(bytes);

        Assert.Contains(await client.ReceiveAllAsync(), new[] { "<closed>", "<reset>" });
        Assert.DoesNotContain("cmdstat_incr", await _redis.CommandAsync("INFO", "commandstats"), StringComparison.Ordinal);
        await SaysAsync("+PONG\r\n", "PING");
    }

    [SkippableFact]
    public async Task TlsHandshakeIsHungUpOn()
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", Port);
        await using var tls = new SslStream(client.GetStream());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(8));

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, patience.Token));

        Assert.True(failure is IOException or AuthenticationException, failure.ToString());
    }

    [SkippableFact]
    public async Task HalfSentBulksTakeNoMoreThanWasSent()
    {
        const int Connections = 10_000;
        var half = "*2\r\n$3\r\nGET\r\n$536870912\r\n" + new string('x', 1_000);
        var clients = new List<RespSocket>();
        var memory = new Memory(_gateway.Process.Pid);
        try
        {
            for (var i = 0; i < Connections; i++)
            {
                clients.Add(await ConnectAsync());
                await clients[^1].SendAsync(half);
                if (i % 100 == 0)
                {
                    memory.Look();
                    await SaysAsync("+PONG\r\n", "PING");
                }
            }

            memory.Look();
            AssertBounded(memory, (long)Connections * half.Length, Connections);
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    [SkippableTheory]
    [InlineData("*1048576\r\n", "$0\r\n\r\n", 1_048_576)]
    [InlineData("", "*1\r\n", 100_000)]
    [InlineData("", "*1048576\r\n", 100_000)]
    [InlineData("*1\r\n$536870912\r\n", "0123456789abcdef", 1_000_000)]
    [InlineData("", "*1\r\n$4\r\nECHO\r\n", 200_000)]
    public async Task BombsGrowOnlyAsTheyAreReceived(string head, string part, int times)
    {
        var memory = new Memory(_gateway.Process.Pid);
        using var client = await ConnectAsync();
        var bytes = head + string.Concat(Enumerable.Repeat(part, times));
        var sending = SendUntilCutAsync(client, bytes);
        var hearing = client.ReceiveUntilAsync("with args beginning with: ");

        while (!sending.IsCompleted)
        {
            memory.Look();
            await SaysAsync("+PONG\r\n", "PING");
        }

        memory.Look();
        AssertBounded(memory, bytes.Length, 1);
        await SendUntilCutAsync(client, "", last: true);
        await hearing;
    }

    [SkippableFact]
    public async Task SlowOnesAreCutAndOthersGoOn()
    {
        await SaysAsync("+OK\r\n", "SET", "large", new string('v', 10_000));
        using var over = new CancellationTokenSource();
        var others = GoOnAsync(over.Token);

        await Task.WhenAll(HalfARequestAsync(), TricklingAsync(), NeverReadingAsync(), WithoutAPauseAsync());

        await over.CancelAsync();
        Assert.True(await others > 10);
    }

    [SkippableFact]
    public async Task MutatedFramesEndNothing()
    {
        const int Together = 10;
        var memory = new Memory(_gateway.Process.Pid);
        var (sent, connections) = (0L, 0L);

        await Frames.Mutated.Array[Together].SampleAsync(
            async frames =>
            {
                byte[] bytes = [.. frames.SelectMany(frame => frame)];
                using var client = await ConnectAsync();
                await SendUntilCutAsync(client, Encoding.Latin1.GetString(bytes), last: true);
                var answer = await client.ReceiveAllAsync();
                Assert.DoesNotContain("<nothing more>", answer, StringComparison.Ordinal);
                Interlocked.Add(ref sent, bytes.Length);
                if (Interlocked.Increment(ref connections) % 100 == 0)
                {
                    memory.Look();
                }
            },
            iter: _frames / Together, threads: 4);

        await SaysAsync("+PONG\r\n", "PING");
        Assert.False(_gateway.Process.HasEnded);
        Assert.DoesNotContain("Unhandled exception", _gateway.Process.Output, StringComparison.Ordinal);
        AssertBounded(memory, sent, 4);
        output.WriteLine($"{_frames} frames, {sent} bytes");
    }

    private int Port => int.Parse(_gateway.Process.Settings["RESP_PORT"], CultureInfo.InvariantCulture);

    private Task<RespSocket> ConnectAsync() => RespSocket.ConnectAsync(Port);

    private async Task SaysAsync(string expected, params string[] words) => Assert.Equal(expected, await _bystander.AskAsync(expected, words));

    private void AssertBounded(Memory memory, long sent, long connections)
    {
        output.WriteLine($"{sent / 1024} KiB sent over {connections} connections: {memory.Growth / 1024} KiB more");
        Assert.InRange(memory.Growth, long.MinValue, (TimesSent * sent) + (connections * BytesPerConnection) + BytesNotCollected);
    }

    private async Task<int> GoOnAsync(CancellationToken over)
    {
        var asked = 0;
        for (; !over.IsCancellationRequested; asked++)
        {
            await SaysAsync("+PONG\r\n", "PING");
            await Task.Delay(100, over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return asked;
    }

    private async Task HalfARequestAsync()
    {
        using var client = await ConnectAsync();
        await client.SendAsync("*2\r\n$3\r\nGET\r\n$100\r\nabc");
        await AssertCutAsync(client);
    }

    private async Task TricklingAsync()
    {
        using var client = await ConnectAsync();
        var cut = AssertCutAsync(client);
        for (var i = 0; !cut.IsCompleted; i++)
        {
            await SendUntilCutAsync(client, i == 0 ? "*2\r\n$3\r\nGET\r\n$1000\r\n" : "x");
            await Task.WhenAny(cut, Task.Delay(250));
        }

        await cut;
    }

    /// <summary>A million requests, and no reply is read.</summary>
    private async Task NeverReadingAsync()
    {
        const int Requests = 1_000_000;
        var memory = new Memory(_gateway.Process.Pid);
        using var client = await ConnectAsync();
        var request = RespSocket.Command("GET", "large");
        var waited = Stopwatch.StartNew();
        var sending = SendUntilCutAsync(client, string.Concat(Enumerable.Repeat(request, Requests)));
        while (!sending.IsCompleted)
        {
            memory.Look();
            await Task.WhenAny(sending, Task.Delay(100));
        }

        Assert.True(waited.Elapsed < _cutAtMost, $"Cut after {waited.Elapsed}.");
        Assert.False(await sending, "All was taken of one that reads nothing.");
        AssertBounded(memory, 0, 1);
    }

    /// <summary>Whoever sends all the time, and never stops between two requests, is not slow.</summary>
    private async Task WithoutAPauseAsync()
    {
        using var client = await ConnectAsync();
        var hearing = client.ReceiveUntilAsync(":0\r\n");
        var request = RespSocket.Command("STRLEN", "key");
        await client.SendAsync(request[..10]);
        for (var sending = Stopwatch.StartNew(); sending.Elapsed < _cutAtMost;)
        {
            await client.SendAsync(request[10..] + request[..10]);
            await Task.Delay(20);
        }

        await client.SendAsync(request[10..] + RespSocket.Command("EXISTS", "nobody"));
        Assert.EndsWith(":5\r\n:0\r\n", await hearing, StringComparison.Ordinal);
    }

    private static async Task AssertCutAsync(RespSocket client)
    {
        var waited = Stopwatch.StartNew();
        Assert.Contains(await client.ReceiveUntilAsync("<never>", _cutAtMost), new[] { "<closed>", "<reset>" });
        Assert.True(waited.Elapsed < _cutAtMost, $"Cut after {waited.Elapsed}.");
    }

    /// <returns>Whether all was taken.</returns>
    private static async Task<bool> SendUntilCutAsync(RespSocket client, string bytes, bool last = false)
    {
        try
        {
            await client.SendAsync(bytes);
            if (last)
            {
                client.EndSending();
            }

            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>A Redis, and a gateway in front of it that has seen worse.</summary>
    public sealed class Fixture : IAsyncLifetime
    {
        internal RedisServer Redis { get; private set; } = null!;

        internal AllInOne Gateway { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Redis = await RedisServer.StartAsync();
            Gateway = await AllInOne.StartAsync(Redis.Port, ("MAX_CLIENTS", "20000"));
            await Gateway.Process.ReadyAsync(TimeSpan.FromSeconds(20));
        }

        public async Task DisposeAsync()
        {
            await Gateway.DisposeAsync();
            await Redis.DisposeAsync();
        }
    }

    /// <summary>How much memory a process holds, compared with how much it held at first.</summary>
    private sealed class Memory(int pid)
    {
        private readonly Lock _lock = new();
        private readonly long _before = Of(pid);
        private long _most;

        /// <summary>By how much it had grown when it was looked at and was largest.</summary>
        public long Growth => _most - _before;

        public void Look()
        {
            lock (_lock)
            {
                _most = Math.Max(_most, Of(pid));
            }
        }

        private static long Of(int pid)
        {
            using var process = Process.GetProcessById(pid);
            return process.WorkingSet64;
        }
    }
}
