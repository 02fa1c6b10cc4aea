using System.Globalization;
using System.Text;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Grains.Origin;

// RESP2 as far as it takes: replies are short, and one that is longer, or not of the protocol, ends the connection.

/// <summary>A connection of our own beside the client library's, for what must not, or cannot, be asked over those.</summary>
internal sealed class SideConnection : IDisposable
{
    private const int LineAtMost = 4 * 1024;
    private const int ElementsAtMost = 64;

    private readonly Stream _stream;
    private readonly byte[] _received = new byte[LineAtMost];
    private int _from;
    private int _to;

    private SideConnection(Stream stream) => _stream = stream;

    /// <summary>Connects, over TLS where Redis is reached so.</summary>
    /// <param name="options">How.</param>
    /// <param name="server">Where to.</param>
    /// <param name="atMost">How long it may take.</param>
    /// <exception cref="OriginException">There is no connection.</exception>
    public static async Task<SideConnection> OpenAsync(RedisOptions options, Server server, TimeSpan atMost) =>
        new((await RedisSocket.OpenAsync(options, server, atMost).ConfigureAwait(false)).Stream);

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
            throw RedisSocket.Translate(failure);
        }
    }

    public void Dispose() => _stream.Dispose();

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
