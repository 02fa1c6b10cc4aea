using System.Globalization;
using System.Net.Sockets;
using System.Text;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Grains.Origin;

// RESP2 as far as it takes: replies are short, and one that is longer, or not of the protocol, ends the connection.

/// <summary>A connection of our own beside the client library's, for what must not, or cannot, be asked over those.</summary>
internal sealed class SideConnection : IDisposable
{
    private const int LineAtMost = 4 * 1024;
    private const int ElementsAtMost = 64;

    private readonly TcpClient _client;
    private readonly Stream _stream;
    private readonly byte[] _received = new byte[LineAtMost];
    private int _from;
    private int _to;

    private SideConnection(TcpClient client, Stream stream) => (_client, _stream) = (client, stream);

    /// <summary>Connects, over TLS where Redis is reached so.</summary>
    /// <param name="options">How.</param>
    /// <param name="host">Where to.</param>
    /// <param name="port">The port there.</param>
    /// <param name="atMost">How long it may take.</param>
    /// <exception cref="OriginException">There is no connection.</exception>
    public static async Task<SideConnection> OpenAsync(RedisOptions options, string host, int port, TimeSpan atMost)
    {
        using var patience = new CancellationTokenSource(atMost);
        var client = new TcpClient { NoDelay = true };
        try
        {
            await client.ConnectAsync(host.Trim('[', ']'), port, patience.Token).ConfigureAwait(false);
            Stream stream = client.GetStream();
            return new SideConnection(client, options.UsesTls ? await RedisTls.AuthenticateAsync(stream, host, options, atMost).ConfigureAwait(false) : stream);
        }
        catch (Exception failure)
        {
            client.Dispose();
            throw Translate(failure);
        }
    }

    /// <summary>Logs in, if there is a password.</summary>
    /// <exception cref="OriginException">It is refused, or not answered.</exception>
    public async Task LogInAsync(string? user, string? password, TimeSpan atMost)
    {
        if (password is not null && await AskAsync(atMost, user is null ? ["AUTH", password] : ["AUTH", user, password]).ConfigureAwait(false) is { Error: not null })
        {
            throw new OriginException(OriginFault.Refused);
        }
    }

    /// <summary>Sends a command, and waits for its reply.</summary>
    /// <exception cref="OriginException">None came that can be used; the connection is of no use any more.</exception>
    public async Task<SideReply> AskAsync(TimeSpan atMost, params string[] words)
    {
        using var patience = new CancellationTokenSource(atMost);
        try
        {
            var command = $"*{words.Length}\r\n" + string.Concat(words.Select(word => $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n"));
            await _stream.WriteAsync(Encoding.UTF8.GetBytes(command), patience.Token).ConfigureAwait(false);
            var line = await ReadLineAsync(patience.Token).ConfigureAwait(false);
            if (line.StartsWith('-'))
            {
                return new SideReply(line[1..], []);
            }

            if (!line.StartsWith('*'))
            {
                return new SideReply(null, [await ElementAsync(line, patience.Token).ConfigureAwait(false)]);
            }

            var elements = new string?[Math.Max(0, Number(line, ElementsAtMost))];
            for (var i = 0; i < elements.Length; i++)
            {
                elements[i] = await ElementAsync(await ReadLineAsync(patience.Token).ConfigureAwait(false), patience.Token).ConfigureAwait(false);
            }

            return new SideReply(null, elements);
        }
        catch (Exception failure)
        {
            throw Translate(failure);
        }
    }

    public void Dispose()
    {
        _stream.Dispose();
        _client.Dispose();
    }

    private static Exception Translate(Exception failure) => failure switch
    {
        OperationCanceledException => new OriginException(OriginFault.TimedOut, inner: failure),
        SocketException or IOException or ObjectDisposedException => new OriginException(OriginFault.Unreachable, inner: failure),
        _ => failure,
    };

    private static int Number(string line, int most) =>
        int.TryParse(line.AsSpan(1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= -1 && number <= most
            ? number
            : throw new OriginException(OriginFault.Protocol);

    private async Task<string?> ElementAsync(string line, CancellationToken cancellation)
    {
        switch (line.FirstOrDefault())
        {
            case '+' or ':':
                return line[1..];
            case '$':
                var length = Number(line, LineAtMost - 2);
                return length < 0 ? null : (await TakeAsync(_ => length + 2, cancellation).ConfigureAwait(false))[..length];
            default:
                throw new OriginException(OriginFault.Protocol);
        }
    }

    private async Task<string> ReadLineAsync(CancellationToken cancellation) =>
        (await TakeAsync(received => received.IndexOf("\r\n"u8) is >= 0 and var end ? end + 2 : null, cancellation).ConfigureAwait(false))[..^2];

    /// <summary>Takes as many bytes as are wanted, once that is known and they have arrived.</summary>
    private async Task<string> TakeAsync(Wanted wanted, CancellationToken cancellation)
    {
        while (true)
        {
            if (wanted(_received.AsSpan(_from.._to)) is { } length && length <= _to - _from)
            {
                _from += length;
                return Encoding.Latin1.GetString(_received, _from - length, length);
            }

            _received.AsSpan(_from.._to).CopyTo(_received);
            (_from, _to) = (0, _to - _from);
            if (_to == _received.Length)
            {
                throw new OriginException(OriginFault.Protocol); // longer than anything that was asked for
            }

            var read = await _stream.ReadAsync(_received.AsMemory(_to), cancellation).ConfigureAwait(false);
            _to += read > 0 ? read : throw new OriginException(OriginFault.Unreachable);
        }
    }

    private delegate int? Wanted(ReadOnlySpan<byte> received);
}

/// <summary>What came back.</summary>
/// <param name="Error">The error's text; <see langword="null"/> for none.</param>
/// <param name="Elements">The reply's, one unless it is an array; none of an array that is null.</param>
internal readonly record struct SideReply(string? Error, string?[] Elements);
