using System.Text;
using CsCheck;
using Microsoft.Extensions.Time.Testing;
using RpOrleans.Coherence;
using RpOrleans.Grains.Lru;
using Xunit;

namespace RpOrleans.Tests.Parts;

/// <summary>What the benchmark calls ideal is what a node does when it hears of everything at once.</summary>
public sealed class IdealLruTests
{
    private enum Operation
    {
        Read,
        Write,
        Invalidate,
    }

    [Fact]
    public void IdealNeedsTheLoadsOfACacheThatHearsOfEveryChange() =>
        (from capacity in Gen.Int[1, 8]
         from steps in Gen.Select(Gen.Enum<Operation>(), Gen.Int[0, 12]).Array[1, 300]
         select (capacity, steps))
        .Sample(scenario => Assert.Equal(LoadsOfACache(scenario.capacity, scenario.steps), LoadsOfTheIdeal(scenario.capacity, scenario.steps)));

    private static long LoadsOfTheIdeal(int capacity, (Operation, int)[] steps)
    {
        var ideal = new IdealLru(capacity);
        foreach (var (operation, key) in steps)
        {
            (operation switch { Operation.Read => ideal.Read, Operation.Write => ideal.Write, _ => (Action<int>)ideal.Invalidate })(key);
        }

        return ideal.Loads;
    }

    private static long LoadsOfACache(int capacity, (Operation, int)[] steps)
    {
        var time = new FakeTimeProvider();
        var cache = new LruCache(capacity, long.MaxValue, time);
        var loads = 0L;
        foreach (var (operation, number) in steps)
        {
            var key = Encoding.ASCII.GetBytes($"{number}");
            if (operation == Operation.Invalidate)
            {
                cache.Remove(key, RemovalCause.Invalidated);
            }
            else if (operation == Operation.Write || !cache.TryGet(key, out _))
            {
                loads += operation == Operation.Read ? 1 : 0;
                cache.Put(key, key, time.GetTimestamp(), TimeSpan.FromDays(1));
            }
        }

        return loads;
    }
}
