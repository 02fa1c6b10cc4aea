namespace RpOrleans.Tests.Resp.Differential;

/// <summary>Makes a case as short as it can be and still show a difference: leaves out half of it, a quarter, and so on down to single commands.</summary>
internal static class Shortest
{
    /// <summary>Shortens.</summary>
    /// <param name="found">One that shows a difference.</param>
    /// <param name="differ">Whether another one does.</param>
    public static async Task<Case> OfAsync(Case found, Func<Case, Task<bool>> differ)
    {
        found = await TryAsync(found with { Cuts = [] }) ?? found;
        found = await TryAsync(found with { Quits = false }) ?? found;
        found = await TryAsync(found with { Protocol = 2 }) ?? found;
        found = found with { Groups = await WithoutAsync(found.Groups, 0, groups => found with { Groups = groups }) };
        for (var i = 0; i < found.Groups.Length; i++)
        {
            var (at, whole) = (i, found);
            found = whole with { Groups = With(await WithoutAsync(whole.Groups[at].Steps, 1, steps => whole with { Groups = With(steps) })) };
            Group[] With(Step[] steps) => [.. whole.Groups[..at], new Group(steps), .. whole.Groups[(at + 1)..]];
        }

        return found;

        async Task<Case?> TryAsync(Case shorter) => await differ(shorter) ? shorter : null;

        async Task<T[]> WithoutAsync<T>(T[] parts, int kept, Func<T[], Case> made)
        {
            for (var length = Math.Max(1, parts.Length / 2); length > 0; length /= 2)
            {
                for (var from = kept; from + length <= parts.Length - kept;)
                {
                    T[] rest = [.. parts[..from], .. parts[(from + length)..]];
                    if (await differ(made(rest)))
                    {
                        parts = rest;
                    }
                    else
                    {
                        from += length;
                    }
                }
            }

            return parts;
        }
    }
}
