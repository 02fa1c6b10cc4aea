using System.Globalization;

namespace RpOrleans.Grains.Origin;

/// <summary>Takes fields out of what <c>INFO</c> says.</summary>
internal static class RedisInfo
{
    /// <summary>A field's text; <see langword="null"/> when it is not there.</summary>
    public static string? Field(string? info, string name)
    {
        foreach (var line in (info ?? "").AsSpan().EnumerateLines())
        {
            if (line.Length > name.Length && line[name.Length] == ':' && line.StartsWith(name, StringComparison.Ordinal))
            {
                return line[(name.Length + 1)..].ToString();
            }
        }

        return null;
    }

    /// <summary>A field's number; <see langword="null"/> when there is none.</summary>
    public static long? Number(string? info, string name) =>
        long.TryParse(Field(info, name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
