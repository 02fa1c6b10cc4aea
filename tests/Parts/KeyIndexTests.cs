using CsCheck;
using RpOrleans.Grains.Lru;

namespace RpOrleans.Tests.Parts;

/// <summary>The table of entries, and the index over it, against a list of what is in them.</summary>
public sealed class KeyIndexTests
{
    /// <summary>Whether an entry comes, or which of those that are there leaves; and a hash, which many share.</summary>
    private static readonly Gen<(int Leaves, uint Hash)[]> _changes =
        from hashes in Gen.OneOf(Gen.Const(uint.MaxValue), Gen.UInt[1, 100])
        from growing in Gen.Int[1, 9]
        from changes in Gen.Select(Gen.Int[0, 9], Gen.Int[0, int.MaxValue], Gen.UInt, (dice, leaves, hash) => (dice < growing ? -1 : leaves, hash % hashes)).Array[1, 3_000]
        select changes;

    [Fact]
    public void EveryEntryIsFoundByItsHashHoweverManyCameAndLeft() => _changes.Sample(
        changes =>
        {
            var entries = new EntryTable();
            var index = new KeyIndex(entries);
            var held = new List<(int Number, uint Hash)>();
            foreach (var (leaves, hash) in changes)
            {
                var buckets = index.Buckets;
                if (leaves < 0)
                {
                    var number = entries.Add();
                    entries[number].Hash = hash;
                    index.Add(number);
                    held.Add((number, hash));
                }
                else if (held.Count > 0)
                {
                    var leaving = held[leaves % held.Count];
                    index.Remove(leaving.Number);
                    entries.Remove(leaving.Number);
                    held.Remove(leaving);
                }

                Assert.InRange(index.Buckets, buckets - 2, buckets + 1); // never all at once
                Assert.InRange(index.Buckets, held.Count, (held.Count * 3 / 2) + 4);
            }

            AssertFinds(index, entries, held);
        },
        iter: 1_000);

    [Fact]
    public void AChainHoldsAFewEntriesOfAMillion()
    {
        var entries = new EntryTable();
        var index = new KeyIndex(entries);
        var longest = 0;
        for (var i = 0; i < 1_000_000; i++)
        {
            var number = entries.Add();
            entries[number].Hash = (uint)KeyComparer.Instance.GetHashCode(BitConverter.GetBytes(i));
            index.Add(number);
        }

        for (var i = 1; i <= 1_000_000; i++)
        {
            longest = Math.Max(longest, Chain(index, entries, entries[i].Hash).Count);
        }

        Assert.InRange(longest, 2, 20);
    }

    [Fact]
    public void ATableThatEmptiesShrinksAndWhatIsLeftIsStillFound()
    {
        var entries = new EntryTable();
        var index = new KeyIndex(entries);
        var held = new List<(int Number, uint Hash)>();
        var random = new Random(1);
        for (var i = 0; i < 100_000; i++)
        {
            var number = entries.Add();
            var hash = (uint)random.Next();
            (entries[number].Hash, entries[number].LoadedAt) = (hash, hash);
            index.Add(number);
            held.Add((number, hash));
        }

        var at = held.Select((entry, i) => (entry.Number, i)).ToDictionary(entry => entry.Number, entry => entry.i);
        var full = entries.Bytes + index.Bytes;
        while (held.Count > 100)
        {
            var leaves = random.Next(held.Count);
            var leaving = held[leaves].Number;
            index.Remove(leaving);
            entries.Remove(leaving);
            (held[leaves], at[held[^1].Number]) = (held[^1], leaves);
            held.RemoveAt(held.Count - 1);
            at.Remove(leaving);
            for (var i = 0; i < 2 && entries.TryMoveLast(out var from, out var to); i++)
            {
                if (to != 0)
                {
                    index.Move(from, to);
                    at.Remove(from, out var moved);
                    (held[moved], at[to]) = ((to, held[moved].Hash), moved);
                }
            }
        }

        AssertFinds(index, entries, held);
        Assert.All(held, entry => Assert.Equal(entry.Hash, entries[entry.Number].LoadedAt)); // all of it was moved
        Assert.InRange(entries.Bytes + index.Bytes, 1, full / 8);
    }

    private static void AssertFinds(KeyIndex index, EntryTable entries, List<(int Number, uint Hash)> held)
    {
        Assert.Equal(held.Count, entries.Count);
        foreach (var hash in held.Select(entry => entry.Hash).Distinct())
        {
            Assert.Equal(
                held.Where(entry => entry.Hash == hash).Select(entry => entry.Number).Order(),
                Chain(index, entries, hash).Where(number => entries[number].Hash == hash).Order());
        }
    }

    private static List<int> Chain(KeyIndex index, EntryTable entries, uint hash)
    {
        var chain = new List<int>();
        for (var number = index.First(hash); number != 0; number = entries[number].Next)
        {
            chain.Add(number);
        }

        return chain;
    }
}
