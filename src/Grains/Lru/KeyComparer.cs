using System.Runtime.InteropServices;

namespace RpOrleans.Grains.Lru;

// Whoever may ask for keys may choose them, and with a hash that can be computed elsewhere may choose a hundred thousand that
// collide: every lookup then walks all of them. So the hash is keyed by a secret that each process draws at its start: Marvin,
// which .NET uses for strings, and which reaches us through string.GetHashCode. HashCode.AddBytes is seeded too, but it is
// xxHash32, for which collisions that hold under every seed are known.

/// <summary>Tells keys apart by their bytes. The hash differs from process to process.</summary>
internal sealed class KeyComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    /// <summary>The one instance.</summary>
    public static readonly KeyComparer Instance = new();

    private KeyComparer()
    {
    }

    /// <summary>Whether two keys are the same bytes.</summary>
    public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

    /// <summary>A hash of the key's bytes that nobody outside this process can predict.</summary>
    public int GetHashCode(byte[] key) => GetHashCode((ReadOnlySpan<byte>)key);

    /// <inheritdoc cref="Equals(byte[], byte[])"/>
    public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

    /// <summary>A key of its own.</summary>
    public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

    /// <inheritdoc cref="GetHashCode(byte[])"/>
    public int GetHashCode(ReadOnlySpan<byte> key)
    {
        var pairs = string.GetHashCode(MemoryMarshal.Cast<byte, char>(key)); // the cast leaves out an odd last byte
        return (key.Length & 1) == 0 ? pairs : HashCode.Combine(pairs, key[^1]);
    }
}
