using System.Text;

namespace RpOrleans.Gateway.Http;

// RFC 9111, section 5.2: a list of token [ "=" ( token / quoted-string ) ], parted by commas. The framework's own parser rejects the
// whole header for one directive that it cannot read, and takes no quoted numbers; here only that directive is passed over, up
// to the next comma that is not in quotes.

/// <summary>Takes a <c>Cache-Control</c> header apart.</summary>
internal static class DirectiveList
{
    /// <summary>RFC 9111, section 1.2.2: what is larger than this counts as this.</summary>
    private const long SecondsAtMost = 1L << 31;

    private const string TokenMarks = "!#$%&'*+-.^_`|~"; // RFC 9110, section 5.6.2, beside letters and digits

    /// <summary>The directives that are well formed, in order; one without an argument has <see langword="null"/>, which an empty one in quotes is not.</summary>
    public static List<(string Name, string? Argument)> Parse(string header)
    {
        List<(string, string?)> directives = [];
        for (var at = 0; at < header.Length; at++)
        {
            at = SkipBlanks(header, at);
            var name = Token(header, ref at);
            string? argument = null;
            var wellFormed = name.Length > 0;
            if (at < header.Length && header[at] == '=')
            {
                at++;
                argument = at < header.Length && header[at] == '"' ? Quoted(header, ref at) : Token(header, ref at) is { Length: > 0 } token ? token : null;
                wellFormed &= argument is not null;
            }

            at = SkipBlanks(header, at);
            if (wellFormed && (at == header.Length || header[at] == ','))
            {
                directives.Add((name, argument));
            }

            while (at < header.Length && header[at] != ',')
            {
                if (header[at] == '"')
                {
                    Quoted(header, ref at);
                }
                else
                {
                    at++;
                }
            }
        }

        return directives;
    }

    /// <summary>A number of seconds; <see langword="null"/> for what is none.</summary>
    public static TimeSpan? Seconds(string? argument)
    {
        if (argument is not { Length: > 0 } || !argument.All(char.IsAsciiDigit))
        {
            return null;
        }

        return TimeSpan.FromSeconds(long.TryParse(argument, out var seconds) ? Math.Min(seconds, SecondsAtMost) : SecondsAtMost);
    }

    private static int SkipBlanks(string header, int at)
    {
        while (at < header.Length && header[at] is ' ' or '\t')
        {
            at++;
        }

        return at;
    }

    private static string Token(string header, ref int at)
    {
        var start = at;
        while (at < header.Length && (char.IsAsciiLetterOrDigit(header[at]) || TokenMarks.Contains(header[at])))
        {
            at++;
        }

        return header[start..at];
    }

    /// <summary>What stands between quotes, without its backslashes; <see langword="null"/> when they are not closed.</summary>
    private static string? Quoted(string header, ref int at)
    {
        var text = new StringBuilder();
        for (at++; at < header.Length; at++)
        {
            if (header[at] == '"')
            {
                at++;
                return text.ToString();
            }

            if (header[at] == '\\' && ++at == header.Length)
            {
                break;
            }

            text.Append(header[at]);
        }

        return null;
    }
}
