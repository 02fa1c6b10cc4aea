using System.Buffers;

namespace RpOrleans.Grains;

// A batch travels in one piece, keys one way and answers the other: for each key an object of its own would be made, written,
// read and collected on both sides, which takes longer than to look it up (docs/decisions/0010).

/// <summary>Keys to look up together.</summary>
/// <param name="Count">How many.</param>
/// <param name="Packed">Each key's length (<see cref="PackedNumber"/>) and bytes, one behind the other.</param>
[GenerateSerializer, Immutable, Alias("rporleans.KeyBatch")]
public sealed record KeyBatch([property: Id(0)] int Count, [property: Id(1)] byte[] Packed)
{
    /// <summary>A batch of these keys.</summary>
    public static KeyBatch Of(params byte[][] keys)
    {
        var packed = new ArrayBufferWriter<byte>();
        foreach (var key in keys)
        {
            Pack(packed, key);
        }

        return new KeyBatch(keys.Length, packed.WrittenSpan.ToArray());
    }

    /// <summary>The keys, each by itself.</summary>
    public IReadOnlyList<byte[]> ToList()
    {
        var keys = new List<byte[]>(Count);
        ReadOnlySpan<byte> rest = Packed;
        for (var i = 0; i < Count; i++)
        {
            keys.Add(Next(ref rest).ToArray());
        }

        return keys;
    }

    /// <summary>A key as it stands in a batch.</summary>
    public static byte[] Pack(ReadOnlySpan<byte> key)
    {
        var packed = new byte[PackedNumber.SizeOf((ulong)key.Length) + key.Length];
        key.CopyTo(packed.AsSpan(PackedNumber.Write(packed, (ulong)key.Length)));
        return packed;
    }

    /// <summary>Adds a key to others.</summary>
    public static void Pack(IBufferWriter<byte> packed, ReadOnlySpan<byte> key)
    {
        var length = PackedNumber.SizeOf((ulong)key.Length) + key.Length;
        var span = packed.GetSpan(length);
        key.CopyTo(span[PackedNumber.Write(span, (ulong)key.Length)..]);
        packed.Advance(length);
    }

    /// <summary>Takes the next key.</summary>
    /// <param name="rest">What is left of a batch; afterwards, without the key.</param>
    public static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> rest)
    {
        var length = (int)PackedNumber.Read(ref rest);
        var key = rest[..length];
        rest = rest[length..];
        return key;
    }
}
