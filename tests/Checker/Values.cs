using System.Globalization;

namespace RpOrleans.Checker;

/// <summary>Keys, and values that say whose they are: <c>key|version|writer|padding</c>. The padding follows from the rest, so that a torn value is seen.</summary>
internal static class Values
{
    private const string Prefix = "checked:";

    public static string Key(int key) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{key}");

    public static string Value(int key, int version, string writer) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{key}|{version}|{writer}|{Padding(key, version)}");

    /// <summary>Takes a value apart.</summary>
    /// <returns>Its key and version; <see langword="null"/> when it is not a whole value.</returns>
    public static (int Key, int Version)? Parse(string value)
    {
        var parts = value.Split('|');
        return parts.Length == 4
               && parts[0].StartsWith(Prefix, StringComparison.Ordinal)
               && int.TryParse(parts[0].AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var key)
               && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var version)
               && parts[3] == Padding(key, version)
            ? (key, version)
            : null;
    }

    // Of very different lengths: what was read of one value and of the next does not make a whole one.
    private static string Padding(int key, int version) => new((char)('a' + (version % 26)), ((key * 31) + (version * 173)) % 1_000);
}
