using System.Buffers;

namespace RpOrleans.Grains;

// A batch travels in one piece, keys one way and answers the other: for each key an object of its own would be made, written,
// read and collected on both sides, which takes longer than to look it up (docs/decisions/0010).

/// <summary>Keys to look up together.</summary>
/// <param name="Count">How many.</param>
/// <param name="Packed">For each key twice its length (<see cref="PackedNumber"/>), and one more if the asker wants a copy of what is held; then its bytes.</param>
/// <param name="Lease">The session on which copies are to be granted (<see cref="LeaseAnswer.Session"/>); 0 for none.</param>
[GenerateSerializer, Immutable, Alias("rporleans.KeyBatch")]
public sealed record KeyBatch([property: Id(0)] int Count, [property: Id(1)] byte[] Packed, [property: Id(2)] long Lease = 0)
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
    /// <param name="key">The key.</param>
    /// <param name="wanted">Whether a copy of what is held is wanted.</param>
    public static byte[] Pack(ReadOnlySpan<byte> key, bool wanted = false)
    {
        var head = Head(key, wanted);
        var packed = new byte[PackedNumber.SizeOf(head) + key.Length];
        key.CopyTo(packed.AsSpan(PackedNumber.Write(packed, head)));
        return packed;
    }

    /// <summary>Adds a key to others.</summary>
    public static void Pack(IBufferWriter<byte> packed, ReadOnlySpan<byte> key, bool wanted = false)
    {
        var head = Head(key, wanted);
        var length = PackedNumber.SizeOf(head) + key.Length;
        var span = packed.GetSpan(length);
        key.CopyTo(span[PackedNumber.Write(span, head)..]);
        packed.Advance(length);
    }

    /// <summary>Takes the next key.</summary>
    /// <param name="rest">What is left of a batch; afterwards, without the key.</param>
    public static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> rest) => Next(ref rest, out _);

    /// <summary>Takes the next key.</summary>
    /// <param name="rest">What is left of a batch; afterwards, without the key.</param>
    /// <param name="wanted">Whether a copy of what is held is wanted.</param>
    public static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> rest, out bool wanted)
    {
        var head = PackedNumber.Read(ref rest);
        wanted = (head & 1) != 0;
        var length = (int)(head >> 1);
        var key = rest[..length];
        rest = rest[length..];
        return key;
    }

    private static ulong Head(ReadOnlySpan<byte> key, bool wanted) => ((ulong)key.Length << 1) | (wanted ? 1u : 0u);
}
