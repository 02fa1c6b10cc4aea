using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Parts;

public sealed class FaultProxyTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _silence = TimeSpan.FromMilliseconds(150);

    private readonly TcpListener _echo = new(IPAddress.Loopback, 0);
    private readonly List<TcpClient> _clients = [];
    private FaultProxy _proxy = null!;
    private Task _echoing = null!;
    private int _heard;

    public Task InitializeAsync()
    {
        _echo.Start();
        _echoing = EchoAsync();
        _proxy = new FaultProxy(((IPEndPoint)_echo.LocalEndpoint).Port, seed: 1);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        _clients.ForEach(client => client.Dispose());
        _echo.Stop();
        await _echoing;
    }

    [Fact]
    public async Task PassesOnWhatComes()
    {
        var client = await ConnectAsync();

        Assert.Equal("hello", await AskAsync(client, "hello"));
    }

    [Fact]
    public async Task DelayedBytesComeLateAndWhole()
    {
        var client = await ConnectAsync();
        _proxy.Set(ProxyFault.Delay, TimeSpan.FromMilliseconds(100));
        var sent = Stopwatch.GetTimestamp();

        Assert.Equal("hello", await AskAsync(client, "hello"));

        Assert.InRange(Stopwatch.GetElapsedTime(sent).TotalMilliseconds, 95, _patience.TotalMilliseconds); // half of it, there and back
    }

    [Fact]
    public async Task TrickledBytesComeOneByOne()
    {
        var client = await ConnectAsync();
        _proxy.Set(ProxyFault.Trickle, TimeSpan.FromMilliseconds(20));
        var sent = Stopwatch.GetTimestamp();

        Assert.Equal("hello", await AskAsync(client, "hello"));

        Assert.InRange(Stopwatch.GetElapsedTime(sent).TotalMilliseconds, 75, _patience.TotalMilliseconds);
    }

    [Theory]
    [InlineData(nameof(ProxyFault.BlackHole), false)]
    [InlineData(nameof(ProxyFault.BlackHoleToServer), false)]
    [InlineData(nameof(ProxyFault.BlackHoleToClient), true)]
    public async Task BlackHoleKeepsWhatComesUntilItIsHealed(string fault, bool arrives)
    {
        var client = await ConnectAsync();
        _proxy.Set(Enum.Parse<ProxyFault>(fault));
        await SendAsync(client, "hello");

        Assert.False(await HearsWithinAsync(client, _silence));
        Assert.Equal(arrives ? 5 : 0, _heard);
        _proxy.Heal();
        Assert.Equal("hello", await ReceiveAsync(client, 5));
    }

    [Fact]
    public async Task ResetBreaksConnectionsAndNewOnesAreMade()
    {
        var client = await ConnectAsync();

        _proxy.Reset();

        await Assert.ThrowsAnyAsync<IOException>(() => ReceiveAsync(client, 1));
        Assert.Equal("again", await AskAsync(await ConnectAsync(), "again"));
    }

    [Fact]
    public async Task RefusedConnectionsAreResetAndOpenOnesStay()
    {
        var open = await ConnectAsync();
        Assert.Equal("hello", await AskAsync(open, "hello"));
        _proxy.Set(ProxyFault.Refuse);

        // The reset may come before the client has noticed that it was connected, or after.
        var refused = await Record.ExceptionAsync(async () => await ReceiveAsync(await ConnectAsync(accepted: false), 1));
        Assert.True(refused is IOException or SocketException, $"{refused}");

        Assert.Equal("still", await AskAsync(open, "still"));
    }

    [Theory]
    [InlineData(nameof(ProxiedConnections.Data))]
    [InlineData(nameof(ProxiedConnections.Invalidation))]
    public async Task FaultIsForOneKindOfConnectionOnly(string kind)
    {
        var connections = Enum.Parse<ProxiedConnections>(kind);
        var data = await ConnectAsync();
        var invalidation = await ConnectAsync();
        await AskAsync(invalidation, "*2\r\n$9\r\nSUBS");
        await AskAsync(invalidation, "cribe\r\n$1\r\nx\r\n");
        var (struck, spared) = connections == ProxiedConnections.Data ? (data, invalidation) : (invalidation, data);

        _proxy.Set(ProxyFault.BlackHole, connections: connections);

        Assert.Equal("hello", await AskAsync(spared, "hello"));
        await SendAsync(struck, "hello");
        Assert.False(await HearsWithinAsync(struck, _silence));
        _proxy.Reset(connections);
        await Assert.ThrowsAnyAsync<IOException>(() => ReceiveAsync(struck, 1));
        Assert.Equal("still", await AskAsync(spared, "still"));
    }

    private async Task EchoAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _echo.AcceptTcpClientAsync()));
            }
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }

        async Task ServeAsync(TcpClient client)
        {
            using (client)
            {
                var buffer = new byte[1_024];
                try
                {
                    while (await client.GetStream().ReadAsync(buffer) is > 0 and var read)
                    {
                        Interlocked.Add(ref _heard, read);
                        await client.GetStream().WriteAsync(buffer.AsMemory(0, read));
                    }
                }
                catch (IOException)
                {
                    // Reset.
                }
            }
        }
    }

    /// <summary>Connects, and unless it will not be accepted waits until it is.</summary>
    private async Task<TcpClient> ConnectAsync(bool accepted = true)
    {
        var client = new TcpClient { NoDelay = true };
        _clients.Add(client);
        await client.ConnectAsync(IPAddress.Loopback, _proxy.Port);
        if (accepted)
        {
            await AskAsync(client, "?");
            _heard = 0;
        }

        return client;
    }

    private static async Task SendAsync(TcpClient client, string text) => await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text));

    private static async Task<string> ReceiveAsync(TcpClient client, int count)
    {
        var bytes = new byte[count];
        await client.GetStream().ReadExactlyAsync(bytes).AsTask().WaitAsync(_patience);
        return Encoding.Latin1.GetString(bytes);
    }

    private static async Task<string> AskAsync(TcpClient client, string text)
    {
        await SendAsync(client, text);
        return await ReceiveAsync(client, text.Length);
    }

    private static async Task<bool> HearsWithinAsync(TcpClient client, TimeSpan time)
    {
        await Task.Delay(time);
        return client.Available > 0;
    }
}
