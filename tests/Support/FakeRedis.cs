using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RpOrleans.Tests.Support;

/// <summary>A Redis that says what a test tells it to. Logins and the client's housekeeping are answered as a real one would.</summary>
internal sealed class FakeRedis : IAsyncDisposable
{
    // Neither is a byte, so neither can be part of what a client sends.
    /// <summary>An answer that closes the connection after whatever precedes it.</summary>
    public const string Close = "\uE000";

    /// <summary>An answer that never comes, and none after it on that connection: answers keep their order.</summary>
    public const string Silence = "\uE001";

    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentBag<Task> _serving = [];
    private readonly ConcurrentDictionary<string, Func<string[], string>> _answers = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentQueue<string> _received = [];
    private readonly Task _accepting;
    private int _connections;

    /// <param name="port">Where it listens; a free port by default.</param>
    public FakeRedis(int port = 0)
    {
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start(512);
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Connections accepted so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Commands received so far, in order, as their words.</summary>
    public ConcurrentQueue<string[]> Commands { get; } = [];

    /// <summary>What was received so far, byte by byte, while <see cref="Everything"/> was set.</summary>
    public string Received => string.Concat(_received);

    /// <summary>The answer to everything, the login too; raw bytes, whatever was sent.</summary>
    public string? Everything { get; set; }

    /// <summary>Sets the answer, in the bytes of the protocol, to a command; <see cref="Silence"/> and <see cref="Close"/> are answers too.</summary>
    public string this[string command]
    {
        set => _answers[command] = _ => value;
    }

    /// <summary>Sets what computes the answer to a command from its words.</summary>
    public void On(string command, Func<string[], string> answer) => _answers[command] = answer;

    /// <summary>Forgets an answer that was set.</summary>
    public void Forget(string command) => _answers.TryRemove(command, out _);

    /// <summary>A bulk reply.</summary>
    public static string Bulk(string text) => $"${Encoding.Latin1.GetByteCount(text)}\r\n{text}\r\n";

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_serving);
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptTcpClientAsync(_stopping.Token);
                Interlocked.Increment(ref _connections);
                _serving.Add(Task.Run(() => ServeAsync(client)));
            }
            catch (Exception failure) when (failure is OperationCanceledException or SocketException or InvalidOperationException)
            {
                return; // it no longer listens
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            client.NoDelay = true;
            var stream = client.GetStream();
            var buffer = new byte[64 * 1024];
            var pending = "";
            var silent = false;
            try
            {
                while (await stream.ReadAsync(buffer, _stopping.Token) is > 0 and var read)
                {
                    if (Everything is { } everything)
                    {
                        _received.Enqueue(Encoding.Latin1.GetString(buffer, 0, read));
                        if (!await SendAsync(everything))
                        {
                            return;
                        }

                        continue;
                    }

                    pending += Encoding.Latin1.GetString(buffer, 0, read);
                    var replies = new StringBuilder();
                    while (TakeCommand(ref pending) is { } words)
                    {
                        Commands.Enqueue(words);
                        replies.Append(Answer(words));
                    }

                    if (!await SendAsync(replies.ToString()))
                    {
                        return;
                    }
                }
            }
            catch (Exception failure) when (failure is IOException or OperationCanceledException or SocketException)
            {
            }

            // Sends what precedes a Close or Silence; tells whether to go on.
            async Task<bool> SendAsync(string replies)
            {
                if (silent)
                {
                    return true; // it hears all the same
                }

                var end = replies.AsSpan().IndexOfAny(Close[0], Silence[0]);
                await stream.WriteAsync(Encoding.Latin1.GetBytes(end < 0 ? replies : replies[..end]), _stopping.Token);
                silent = end >= 0 && replies[end] == Silence[0];
                return end < 0 || silent;
            }
        }
    }

    private string Answer(string[] words)
    {
        if (_answers.TryGetValue(words[0], out var answer))
        {
            return answer(words);
        }

        return words[0].ToUpperInvariant() switch
        {
            "PING" => "+PONG\r\n",
            "ECHO" => Bulk(words[1]),
            "HELLO" => "-ERR unknown command 'HELLO'\r\n",
            "INFO" => Bulk("# Replication\r\nrole:master\r\n"),
            "CLIENT" or "SELECT" or "AUTH" or "SET" => "+OK\r\n",
            "GET" => "$-1\r\n",
            "GETRANGE" => "$0\r\n\r\n",
            "STRLEN" or "DEL" => ":0\r\n",
            "PTTL" => ":-2\r\n",
            _ => $"-ERR unknown command '{words[0]}'\r\n",
        };
    }

    /// <summary>Takes a whole command, an array of bulk strings, off the front of what was received.</summary>
    private static string[]? TakeCommand(ref string pending)
    {
        var position = 0;
        if (TakeNumber(pending, ref position) is not { } count)
        {
            return null;
        }

        var words = new string[count];
        for (var i = 0; i < count; i++)
        {
            if (TakeNumber(pending, ref position) is not { } length || pending.Length < position + length + 2)
            {
                return null;
            }

            words[i] = pending.Substring(position, length);
            position += length + 2;
        }

        pending = pending[position..];
        return words;
    }

    /// <summary>Takes a line like <c>*3</c> or <c>$11</c>.</summary>
    private static int? TakeNumber(string pending, ref int position)
    {
        var end = pending.IndexOf("\r\n", position, StringComparison.Ordinal);
        if (end < 0)
        {
            return null;
        }

        var number = int.Parse(pending.AsSpan((position + 1)..end), CultureInfo.InvariantCulture);
        position = end + 2;
        return number;
    }
}
