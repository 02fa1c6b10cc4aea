using CsCheck;

namespace RpOrleans.Tests.Resp.Differential;

/// <summary>Small damage to bytes: turned over, put in, left out, said twice, cut off.</summary>
internal static class Mutation
{
    /// <summary>One of them.</summary>
    /// <param name="splices">What may be put in.</param>
    public static Gen<Func<byte[], byte[]>> Any(byte[][] splices) => Gen.Frequency(
        (3, Gen.Select(Gen.Double.Unit, Gen.Byte, (at, b) => (Func<byte[], byte[]>)(bytes => With(bytes, at, 1, [b])))),
        (3, Gen.Select(Gen.Double.Unit, Gen.Int[0, 7], (at, bit) => (Func<byte[], byte[]>)(bytes => Flipped(bytes, at, bit)))),
        (3, Gen.Select(Gen.Double.Unit, Gen.OneOf(splices), Gen.Int[0, 3], (at, put, over) => (Func<byte[], byte[]>)(bytes => With(bytes, at, over, put)))),
        (2, Gen.Select(Gen.Double.Unit, Gen.Int[0, 20], (at, count) => (Func<byte[], byte[]>)(bytes => With(bytes, at, count, [])))),
        (2, Gen.Select(Gen.Double.Unit, Gen.Double.Unit, Gen.Int[1, 30], (from, to, count) => (Func<byte[], byte[]>)(bytes => With(bytes, to, 0, Part(bytes, from, count))))),
        (1, Gen.Double.Unit.Select(at => (Func<byte[], byte[]>)(bytes => bytes[..(int)(at * bytes.Length)]))));

    private static byte[] Flipped(byte[] bytes, double at, int bit)
    {
        if (bytes.Length == 0)
        {
            return bytes;
        }

        byte[] flipped = [.. bytes];
        flipped[(int)(at * bytes.Length)] ^= (byte)(1 << bit);
        return flipped;
    }

    private static byte[] With(byte[] bytes, double at, int over, byte[] put)
    {
        var start = (int)(at * bytes.Length);
        return [.. bytes.AsSpan(0, start), .. put, .. bytes.AsSpan(Math.Min(start + over, bytes.Length))];
    }

    private static byte[] Part(byte[] bytes, double from, int count)
    {
        var start = (int)(from * bytes.Length);
        return bytes[start..Math.Min(start + count, bytes.Length)];
    }
}
