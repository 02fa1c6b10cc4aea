using System.Globalization;
using System.Security.Cryptography;

namespace RpOrleans.Gateway.Access;

// PBKDF2 (RFC 8018) with HMAC-SHA-256: what is stolen with a file can be guessed at only slowly. It is as slow as the file
// says, at 600,000 rounds (OWASP, "Password Storage Cheat Sheet") a good part of a second: see Logins for who pays it, and when.

/// <summary>What is kept of a secret, so that it can be checked but not be read: <c>pbkdf2-sha256$rounds$salt$hash</c>, the last two in base64.</summary>
internal sealed class SecretHash
{
    private const string Scheme = "pbkdf2-sha256";
    private const int HashBytes = 32;
    private const int SaltBytes = 16;

    private readonly byte[] _salt;
    private readonly byte[] _hash;

    private SecretHash(int rounds, byte[] salt, byte[] hash) => (Rounds, _salt, _hash) = (rounds, salt, hash);

    /// <summary>How many rounds a new one takes.</summary>
    public static int RoundsOfNew => 600_000;

    /// <summary>How many rounds this one takes.</summary>
    public int Rounds { get; }

    /// <summary>Makes one.</summary>
    public static SecretHash Of(ReadOnlySpan<byte> secret, int rounds)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        return new SecretHash(rounds, salt, Derive(secret, salt, rounds));
    }

    /// <summary>Reads one.</summary>
    /// <returns><see langword="null"/> when it is none, or one of fewer rounds than 1,000 or more than ten million.</returns>
    public static SecretHash? Parse(string text)
    {
        var parts = text.Split('$');
        return parts is [Scheme, var rounds, var salt, var hash]
               && int.TryParse(rounds, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1_000 and <= 10_000_000
               && Decode(salt) is { Length: >= 8 and <= 64 } saltBytes
               && Decode(hash) is { Length: HashBytes } hashBytes
            ? new SecretHash(count, saltBytes, hashBytes)
            : null;
    }

    /// <summary>Whether it is of this secret.</summary>
    /// <param name="secret">The secret.</param>
    /// <param name="rounds">How many rounds finding out takes in all, so that the time does not tell whose hash it is.</param>
    public bool IsOf(ReadOnlySpan<byte> secret, int rounds)
    {
        var right = CryptographicOperations.FixedTimeEquals(Derive(secret, _salt, Rounds), _hash);
        if (rounds > Rounds)
        {
            Derive(secret, _salt, rounds - Rounds);
        }

        return right;
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Scheme}${Rounds}${Convert.ToBase64String(_salt)}${Convert.ToBase64String(_hash)}");

    private static byte[] Derive(ReadOnlySpan<byte> secret, byte[] salt, int rounds) =>
        Rfc2898DeriveBytes.Pbkdf2(secret, salt, rounds, HashAlgorithmName.SHA256, HashBytes);

    private static byte[]? Decode(string base64)
    {
        var bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out var length) ? bytes[..length] : null;
    }
}
