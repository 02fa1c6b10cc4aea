using System.Globalization;

namespace RpOrleans.Checker;

/// <summary>One reply in the Redis protocol.</summary>
/// <param name="Kind">Its first byte.</param>
/// <param name="Text">What it says; <see langword="null"/> for nil.</param>
/// <param name="Items">What it has in it.</param>
internal sealed record Reply(char Kind, string? Text, Reply[] Items)
{
    public bool IsError => Kind is '-' or '!';

    public bool IsNil => Kind == '_' || (Text is null && Kind is '$' or '*');

    /// <summary>Reads one.</summary>
    /// <exception cref="IOException">The connection ended, or says something else.</exception>
    public static async Task<Reply> ReadAsync(StreamReader from, CancellationToken cancellation)
    {
        var line = await from.ReadLineAsync(cancellation);
        if (line is not { Length: > 0 })
        {
            throw new EndOfStreamException(line is null ? "The connection was closed." : "An empty line is no reply.");
        }

        var (kind, rest) = (line[0], line[1..]);
        switch (kind)
        {
            case '$' or '=' or '!':
                var length = Length(rest);
                return new Reply(kind, length < 0 ? null : await TextAsync(from, length, cancellation), []);
            case '*' or '~' or '>' or '%':
                var items = new Reply[Math.Max(0, Length(rest)) * (kind == '%' ? 2 : 1)];
                for (var i = 0; i < items.Length; i++)
                {
                    items[i] = await ReadAsync(from, cancellation);
                }

                return new Reply(kind, rest.StartsWith('-') ? null : rest, items);
            case '+' or '-' or ':' or '_' or '#' or ',' or '(':
                return new Reply(kind, rest, []);
            default:
                throw new InvalidDataException($"{kind} begins no reply.");
        }
    }

    private static int Length(string text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var length) ? length : throw new InvalidDataException($"{text} is no length.");

    private static async Task<string> TextAsync(StreamReader from, int length, CancellationToken cancellation)
    {
        var text = new char[length + 2];
        return await from.ReadBlockAsync(text, cancellation) != text.Length ? throw new EndOfStreamException("The connection was closed.")
            : text is [.., '\r', '\n'] ? new string(text, 0, length)
            : throw new InvalidDataException("A text has another length than it says.");
    }
}
