using RpOrleans.Gateway.Access;

namespace RpOrleans.Gateway.Http;

/// <summary>Why a request is forbidden, in words for its answer.</summary>
internal static class Rights
{
    public const string WriteRefused = "This user may not write";
    public const string KeyRefused = "This user may not use a key that the request names";

    /// <summary>Why a user may not write a key.</summary>
    /// <param name="user">The user; <see langword="null"/> where everybody may do everything.</param>
    /// <param name="key">The key.</param>
    /// <returns><see langword="null"/> if it may.</returns>
    public static string? RefusalOfWrite(User? user, byte[] key) =>
        user is null ? null
        : !user.MayWrite ? WriteRefused
        : !user.MayUse(key) ? KeyRefused
        : null;
}
