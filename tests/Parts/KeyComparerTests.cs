using RpOrleans.Grains.Lru;
using Xunit;

namespace RpOrleans.Tests.Parts;

public sealed class KeyComparerTests
{
    private static readonly KeyComparer _comparer = KeyComparer.Instance;

    [Fact]
    public void KeysAreEqualByTheirBytes()
    {
        for (var length = 0; length < 20; length++)
        {
            var key = Enumerable.Range(1, length).Select(i => (byte)i).ToArray();
            Assert.True(_comparer.Equals(key, [.. key]));
            Assert.Equal(_comparer.GetHashCode(key), _comparer.GetHashCode([.. key]));
            Assert.False(_comparer.Equals(key, [.. key, 0]));
        }
    }

    [Fact]
    public void EveryByteOfAKeyCounts()
    {
        foreach (var length in new[] { 1, 2, 3, 8, 9, 31, 64 })
        {
            List<byte[]> keys = [new byte[length], new byte[length + 1]];
            for (var bit = 0; bit < 8 * length; bit++)
            {
                var key = new byte[length];
                key[bit / 8] = (byte)(1 << (bit % 8));
                keys.Add(key);
            }

            Assert.Equal(keys.Count, keys.Distinct(_comparer).Count());
            Assert.InRange(keys.Select(_comparer.GetHashCode).Distinct().Count(), keys.Count - 1, keys.Count);
        }
    }

    [Theory]
    [InlineData("times 31", false)]
    [InlineData("times 31", true)]
    [InlineData("FNV-1a", false)]
    [InlineData("FNV-1a", true)]
    public void KeysMadeToCollideUnderAHashThatAnyoneCanComputeDoNotCollideHere(string hash, bool odd)
    {
        var start = hash == "FNV-1a" ? 2_166_136_261 : 0;
        Func<uint, byte, uint> step = hash == "FNV-1a"
            ? (state, next) => (state ^ next) * 16_777_619
            : (state, next) => (state * 31) + next;
        var keys = Colliding(start, step, tail: odd ? [7] : []);
        Assert.True(keys.Length >= 100_000);
        Assert.Single(keys.Select(key => key.Aggregate(start, step)).Distinct());

        // What as many keys at random would have: about two that share a hash, and at most ten or so in a bucket.
        var hashes = keys.Select(_comparer.GetHashCode).ToList();
        Assert.InRange(hashes.Distinct().Count(), keys.Length - 50, keys.Length);
        Assert.InRange(hashes.GroupBy(code => (uint)code % (uint)keys.Length).Max(bucket => bucket.Count()), 1, 25);
    }

    /// <summary>
    /// 2^17 keys with one hash, by finding, seventeen times in a row, two blocks after which the hash is the same, and
    /// taking either (Joux, "Multicollisions in Iterated Hash Functions", 2004).
    /// </summary>
    private static byte[][] Colliding(uint start, Func<uint, byte, uint> step, byte[] tail)
    {
        var random = new Random(1);
        byte[][] keys = [[]];
        var state = start;
        for (var round = 0; round < 17; round++)
        {
            var (one, other) = CollidingBlocks(state, step, random);
            keys = [.. keys.Select(key => (byte[])[.. key, .. one]), .. keys.Select(key => (byte[])[.. key, .. other])];
            state = one.Aggregate(state, step);
        }

        return [.. keys.Select(key => (byte[])[.. key, .. tail])];
    }

    private static (byte[] One, byte[] Other) CollidingBlocks(uint state, Func<uint, byte, uint> step, Random random)
    {
        Dictionary<uint, byte[]> blocks = [];
        while (true)
        {
            var block = new byte[4];
            random.NextBytes(block);
            var next = block.Aggregate(state, step);
            if (blocks.TryGetValue(next, out var other) && !other.SequenceEqual(block))
            {
                return (block, other);
            }

            blocks[next] = block;
        }
    }
}
