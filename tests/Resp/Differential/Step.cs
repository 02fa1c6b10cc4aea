using System.Globalization;
using System.Text;

namespace RpOrleans.Tests.Resp.Differential;

/// <summary>One command that both servers are sent.</summary>
/// <param name="Words">Its words, a byte a character. <see cref="Prefix"/> in them stands for what all keys of a case begin with.</param>
/// <param name="Likeness">How like each other the replies must be.</param>
/// <param name="Inline">Whether it is sent as a line.</param>
internal sealed record Step(string[] Words, Likeness? Likeness = null, bool Inline = false)
{
    /// <summary>Stands for what the keys of a case begin with, so that no case sees the keys of another.</summary>
    public const string Prefix = "{}";

    public static Step Of(string line) => new(line.Split(' '));

    /// <summary>What is sent. The reply to a command that is not compared byte for byte is announced by an <c>ECHO</c>.</summary>
    public string Bytes(int number)
    {
        var prefix = number.ToString(CultureInfo.InvariantCulture) + ":";
        var words = Words.Select(word => word.Replace(Prefix, prefix, StringComparison.Ordinal)).ToArray();
        return (Likeness is null ? "" : RespSocket.Command("ECHO", Likeness.Mark)) + (Inline ? string.Join(' ', words) + "\r\n" : RespSocket.Command(words));
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var letter in string.Join(' ', Words.Select(word => word.Length == 0 ? "\"\"" : word.Contains(' ', StringComparison.Ordinal) ? $"\"{word}\"" : word)))
        {
            text.Append(letter is >= ' ' and <= '~' ? letter.ToString() : $"\\x{(int)letter:x2}");
        }

        return text + (Inline ? "   (inline)" : "");
    }
}
