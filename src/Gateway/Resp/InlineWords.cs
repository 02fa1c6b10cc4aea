namespace RpOrleans.Gateway.Resp;

/// <summary>The words of an inline command, quoted as in a shell: what Redis does in <c>sdssplitargs</c>.</summary>
internal static class InlineWords
{
    /// <summary>Splits a line.</summary>
    /// <param name="line">The line, without its end and without a NUL.</param>
    /// <returns>Its words; <see langword="null"/> when a quote is not closed, or is followed by something other than a blank.</returns>
    public static List<byte[]>? Split(ReadOnlySpan<byte> line)
    {
        var words = new List<byte[]>();
        var word = new List<byte>();
        var at = 0;
        while (true)
        {
            while (at < line.Length && IsBlank(line[at]))
            {
                at++;
            }

            if (at == line.Length)
            {
                return words;
            }

            word.Clear();
            if (!TryTakeWord(line, ref at, word))
            {
                return null;
            }

            words.Add([.. word]);
        }
    }

    private static bool TryTakeWord(ReadOnlySpan<byte> line, ref int at, List<byte> word)
    {
        while (at < line.Length)
        {
            var next = line[at];
            if (next is (byte)'"' or (byte)'\'')
            {
                at++;
                if (!TryTakeQuoted(line, ref at, next, word))
                {
                    return false;
                }

                return at == line.Length || IsBlank(line[at]);
            }

            if (next is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            {
                return true;
            }

            word.Add(next);
            at++;
        }

        return true;
    }

    private static bool TryTakeQuoted(ReadOnlySpan<byte> line, ref int at, byte quote, List<byte> word)
    {
        while (at < line.Length)
        {
            var next = line[at];
            if (next == quote)
            {
                at++;
                return true;
            }

            if (next == '\\' && quote == '"' && at + 3 < line.Length && line[at + 1] == 'x' && char.IsAsciiHexDigit((char)line[at + 2]) && char.IsAsciiHexDigit((char)line[at + 3]))
            {
                word.Add((byte)((Convert.ToInt32(((char)line[at + 2]).ToString(), 16) << 4) | Convert.ToInt32(((char)line[at + 3]).ToString(), 16)));
                at += 4;
            }
            else if (next == '\\' && at + 1 < line.Length && (quote == '"' || line[at + 1] == '\''))
            {
                word.Add(quote == '"' ? Unescape(line[at + 1]) : (byte)'\'');
                at += 2;
            }
            else
            {
                word.Add(next);
                at++;
            }
        }

        return false;
    }

    private static byte Unescape(byte escaped) => escaped switch
    {
        (byte)'n' => (byte)'\n',
        (byte)'r' => (byte)'\r',
        (byte)'t' => (byte)'\t',
        (byte)'b' => (byte)'\b',
        (byte)'a' => 7,
        _ => escaped,
    };

    /// <summary>As C's <c>isspace</c>.</summary>
    private static bool IsBlank(byte c) => c is (byte)' ' or (>= 9 and <= 13);
}
