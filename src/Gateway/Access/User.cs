namespace RpOrleans.Gateway.Access;

/// <summary>Somebody who may use the gateway.</summary>
/// <param name="name">By which name.</param>
/// <param name="secret">What is kept of the secret.</param>
/// <param name="mayWrite">Whether it may change keys.</param>
/// <param name="prefix">What the keys that it may use begin with; empty for all keys.</param>
internal sealed class User(string name, SecretHash secret, bool mayWrite, byte[] prefix)
{
    /// <summary>The user that is meant where none is named, as in Redis.</summary>
    public const string Default = "default";

    public string Name => name;

    public SecretHash Secret => secret;

    public bool MayWrite => mayWrite;

    /// <summary>Whether it may use some keys only.</summary>
    public bool HasPrefix => prefix.Length > 0;

    /// <summary>Whether there is anything that it may not do.</summary>
    public bool IsLimited { get; } = !mayWrite || prefix.Length > 0;

    /// <summary>Whether a key is one that it may use.</summary>
    public bool MayUse(ReadOnlySpan<byte> key) => key.StartsWith(prefix);
}
