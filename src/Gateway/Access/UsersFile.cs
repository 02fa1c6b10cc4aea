using System.Globalization;
using System.Text;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Access;

/// <summary>The file of <c>RESP_USERS_FILE</c>: a user a line, <c>name hash read|write prefix</c>; <c>#</c> begins a comment.</summary>
internal static class UsersFile
{
    private const string Setting = "RESP_USERS_FILE";
    private const int LongestName = 64;

    /// <summary>More bad lines than this are only counted.</summary>
    private const int BadLinesNamed = 20;

    /// <summary>Takes nothing else for it: a prefix with a sign in place of another would be another prefix.</summary>
    private static readonly UTF8Encoding _utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads it.</summary>
    /// <param name="file">Its path.</param>
    /// <param name="taken">Names that are taken already.</param>
    /// <param name="reader">Told of what is wrong, by the line's number: what stands in a line may be a secret.</param>
    public static IReadOnlyList<User> Read(string file, IEnumerable<string> taken, SettingsReader reader)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(file, _utf8);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            reader.Reject(Setting, file, "must be a file of users, in UTF-8; this one cannot be read");
            return [];
        }

        var users = new List<User>();
        var names = taken.ToHashSet(StringComparer.Ordinal);
        var bad = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            var words = lines[i].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0 || words[0].StartsWith('#'))
            {
                continue;
            }

            if (ProblemOf(words, names) is not { } problem)
            {
                users.Add(Parse(words));
            }
            else if (++bad <= BadLinesNamed)
            {
                reader.Reject(Setting, file, string.Create(CultureInfo.InvariantCulture, $"line {i + 1}: {problem}"));
            }
        }

        if (bad > BadLinesNamed)
        {
            reader.Reject(Setting, file, string.Create(CultureInfo.InvariantCulture, $"{bad - BadLinesNamed} further lines are wrong"));
        }
        else if (bad == 0 && users.Count == 0)
        {
            reader.Reject(Setting, file, "names no user");
        }

        return users;
    }

    private static User Parse(string[] words) =>
        new(words[0], SecretHash.Parse(words[1])!, words[2] == "write", words[3] == "*" ? [] : Encoding.UTF8.GetBytes(words[3]));

    /// <returns>What is wrong with a line; nothing if it is right.</returns>
    private static string? ProblemOf(string[] words, HashSet<string> names) =>
        words.Length != 4 ? "must be four words: name, hash, read or write, and the prefix of its keys, or * for all keys"
        : !IsName(words[0]) ? $"a name is up to {LongestName} letters, digits and signs of ASCII, none of them a colon"
        : SecretHash.Parse(words[1]) is null ? "the second word must be a hash as --hash-secret prints it"
        : words[2] is not ("read" or "write") ? "the third word must be read or write"
        : words[3].Contains('*', StringComparison.Ordinal) && words[3] != "*" ? "the fourth word is a prefix, and not a pattern: leave out its *"
        : !names.Add(words[0]) ? "there is a user of this name already"
        : null;

    // No colon: over HTTP it stands between name and secret.
    private static bool IsName(string name) => name.Length <= LongestName && name.All(letter => letter is > ' ' and <= '~' and not ':');
}
