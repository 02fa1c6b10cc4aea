using System.Text;
using Microsoft.Extensions.Time.Testing;
using RpOrleans.Grains.Lru;
using Xunit;

namespace RpOrleans.Tests.Parts;

/// <summary>Run alone, since one of them measures the heap.</summary>
[CollectionDefinition(nameof(LruCacheTests), DisableParallelization = true)]
[Collection(nameof(LruCacheTests))]
public sealed class LruCacheTests
{
    private static readonly TimeSpan _minute = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _removed = [];

    [Fact]
    public void TheLeastRecentlyUsedIsEvicted()
    {
        var cache = NewCache(maximumEntries: 2);
        Put(cache, "a");
        Put(cache, "b");
        Assert.True(Holds(cache, "a")); // a hit: now b is the least recent
        Put(cache, "c");

        Assert.Equal(["b Evicted"], _removed);
        Assert.Equal(1, cache.Evictions);
    }

    [Fact]
    public void ALargeValueEvictsAsManyAsItNeeds()
    {
        var small = Entry.SizeOf(1, 0);
        var cache = NewCache(maximumBytes: 4 * small);
        Put(cache, "a");
        Put(cache, "b");
        Put(cache, "c");
        Put(cache, "d");
        var large = new byte[small - 8];
        Put(cache, "e", large); // about as large as two of the others

        Assert.Equal(["a Evicted", "b Evicted"], _removed);
        Assert.Equal((2 * small) + Entry.SizeOf(1, large.Length), cache.Bytes);
    }

    [Fact]
    public void ALargeValueCanHaveItsRoomMadeAFewAtATime()
    {
        var cache = NewCache(maximumEntries: 1_000, maximumBytes: 200 * Entry.SizeOf(2, 0));
        for (var i = 10; i < 100; i++)
        {
            Put(cache, $"{i}");
            Put(cache, $"x{i % 10}", new byte[i]);
        }

        _removed.Clear();
        var large = new byte[6_000];
        while (cache.MakeRoom(Bytes("x5"), large.Length, most: 10))
        {
            Assert.Equal(0, _removed.Count % 10);
        }

        var evicted = cache.Evictions;
        Assert.InRange(evicted, 11, 90);
        Assert.All(_removed, left => Assert.EndsWith("Evicted", left));
        Put(cache, "x5", large);
        Assert.Equal((evicted, "x5 Replaced"), (cache.Evictions, _removed[^1])); // that was all of it
    }

    [Fact]
    public void AnEntryIsServedUntilItsLifeIsOverAndNotATickLonger()
    {
        var cache = NewCache();
        Put(cache, "a", life: _minute);

        _time.Advance(_minute - TimeSpan.FromTicks(1));
        Assert.True(Holds(cache, "a"));

        _time.Advance(TimeSpan.FromTicks(1));
        Assert.False(Holds(cache, "a"));
        Assert.Equal(["a Expired"], _removed);
        Assert.Equal(1, cache.Expirations);
    }

    [Fact]
    public void LifeCountsFromTheSendingOfTheRead()
    {
        var cache = NewCache();
        var sent = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromSeconds(59)); // a slow answer

        Assert.True(cache.Put(Bytes("a"), [], sent, _minute));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(Holds(cache, "a"));
    }

    [Fact]
    public void AHitDoesNotLengthenALife()
    {
        var cache = NewCache();
        Put(cache, "a", life: _minute);
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.True(Holds(cache, "a"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(Holds(cache, "a"));
    }

    [Fact]
    public void WhatHasExpiredIsRetainedForAsLongAsIsSetAndNotFoundAsFresh()
    {
        var cache = NewCache(retention: _minute);
        Put(cache, "a", life: _minute);
        _time.Advance(_minute);

        Assert.False(Holds(cache, "a"));
        Assert.Equal(0, cache.RemoveExpired(100));
        Assert.True(Retains(cache, "a"));

        _time.Advance(_minute - TimeSpan.FromTicks(1));
        Assert.True(Retains(cache, "a"));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.False(Retains(cache, "a"));
        Assert.Equal(["a Expired"], _removed);
        Assert.Equal(0, cache.Bytes);
    }

    [Fact]
    public void WhatIsRetainedGivesItsMemoryBackUnasked()
    {
        var cache = NewCache(retention: _minute);
        Put(cache, "a", life: _minute);
        _time.Advance((2 * _minute) + TimeSpan.FromMilliseconds(100));

        Assert.Equal(1, cache.RemoveExpired(100));
        Assert.Equal((0, 0), (cache.Count, cache.Bytes));
    }

    [Fact]
    public void NothingIsRetainedForLongerThanRedisHoldsIt()
    {
        var cache = NewCache(retention: _minute);
        Put(cache, "a", life: _minute, originLife: 1.5 * _minute);
        Put(cache, "b", life: _minute, originLife: _minute);

        _time.Advance(1.49 * _minute);
        Assert.True(Retains(cache, "a"));
        Assert.False(Retains(cache, "b"));
        _time.Advance(0.01 * _minute);
        Assert.False(Retains(cache, "a"));
    }

    [Fact]
    public void WhatIsRetainedIsEvictedInItsTurn()
    {
        var cache = NewCache(maximumEntries: 2, retention: _minute);
        Put(cache, "a", life: TimeSpan.FromSeconds(1));
        Put(cache, "b");
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(Retains(cache, "a")); // a hit: now b is the least recent
        Put(cache, "c");
        Put(cache, "d");

        Assert.Equal(["b Evicted", "a Evicted"], _removed);
    }

    [Fact]
    public void AReplacedEntryDoesNotTakeItsSuccessorAlongWhenItsTimeComes()
    {
        var cache = NewCache();
        Put(cache, "a", life: TimeSpan.FromSeconds(1));
        Put(cache, "a", life: _minute);
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(0, cache.RemoveExpired(100));
        Assert.True(Holds(cache, "a"));
    }

    [Fact]
    public void APutAfterItsLifeIsRefusedAndLeavesNothing()
    {
        var cache = NewCache();
        Put(cache, "a");
        var sent = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.False(cache.Put(Bytes("a"), [], sent, TimeSpan.FromSeconds(1)));
        Assert.False(Holds(cache, "a"));
        Assert.Equal(["a Replaced"], _removed);
        Assert.Equal(0, cache.Bytes);
    }

    [Fact]
    public void APutLargerThanTheCacheIsRefusedAndEvictsNobody()
    {
        var cache = NewCache(maximumBytes: 1_000);
        Put(cache, "a");
        Put(cache, "b");

        Assert.False(cache.Put(Bytes("a"), new byte[1_000], _time.GetTimestamp(), _minute));
        Assert.False(Holds(cache, "a"));
        Assert.True(Holds(cache, "b"));
        Assert.Equal(["a Replaced"], _removed);
    }

    [Fact]
    public void AnEntryThatFillsTheCacheExactlyIsHeld()
    {
        var cache = NewCache(maximumBytes: Entry.SizeOf(1, 100));
        Put(cache, "a", new byte[100]);
        Assert.True(Holds(cache, "a"));
    }

    [Fact]
    public void ALifeBeyondTheClockNeverEnds()
    {
        var cache = NewCache();
        Put(cache, "a", life: TimeSpan.MaxValue);
        _time.Advance(TimeSpan.FromDays(365_000));
        cache.RemoveExpired(100);
        Assert.True(Holds(cache, "a"));
    }

    [Fact]
    public void TheEmptyKeyIsAKey()
    {
        var cache = NewCache();
        Put(cache, "");
        Assert.True(Holds(cache, ""));
        Assert.True(cache.Remove([], RemovalCause.Invalidated));
        Assert.False(cache.Remove([], RemovalCause.Invalidated));
    }

    [Fact]
    public void OnlyTheChosenKeysAreRemoved()
    {
        var cache = NewCache();
        Put(cache, "a1");
        Put(cache, "b1");
        Put(cache, "a2");

        Assert.Equal(2, cache.RemoveWhere(key => key[0] == 'a', RemovalCause.Moved));
        Assert.Equal(["a1 Moved", "a2 Moved"], _removed);
        Assert.True(Holds(cache, "b1"));
    }

    [Fact]
    public void NothingIsLeftAfterClear()
    {
        var cache = NewCache();
        Put(cache, "a");
        Put(cache, "b");
        cache.Clear(RemovalCause.Invalidated);

        Assert.Equal(["a Invalidated", "b Invalidated"], _removed);
        Assert.Equal(0, cache.Count);
        Assert.Equal(0, cache.Bytes);
        Put(cache, "a");
        Assert.True(Holds(cache, "a"));
    }

    [Fact]
    public void ACacheForNothingIsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => NewCache(maximumEntries: 0));

    [Theory]
    [InlineData(76_000, 40, 0)]     // the dictionary has just doubled: it has most to spare
    [InlineData(100_000, 40, 200)]
    [InlineData(150_000, 100, 30)]  // it is nearly full
    public void BytesAreTheBytesOfTheHeap(int entries, int longestKey, int longestValue)
    {
        var sizes = new Random(1);
        var cache = new LruCache(int.MaxValue, long.MaxValue, _time);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < entries; i++)
        {
            var key = new byte[sizes.Next(4, longestKey + 1)];
            BitConverter.TryWriteBytes(key, i);
            cache.Put(key, new byte[sizes.Next(longestValue + 1)], _time.GetTimestamp(), _minute);
        }

        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.Equal(entries, cache.Count);
        Assert.InRange((double)cache.Bytes / grown, 0.8, 1.2);
    }

    [Fact]
    public void ReplacingDoesNotKeepTheOlderArrays()
    {
        var cache = NewCache();
        var older = PutAndForget(cache);
        Put(cache, "a");
        _removed.Clear();
        GC.Collect();
        Assert.False(older.Key.IsAlive);
        Assert.False(older.Value.IsAlive);
        Assert.True(Holds(cache, "a"));
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private (WeakReference Key, WeakReference Value) PutAndForget(LruCache cache)
    {
        var (key, value) = (Bytes("a"), new byte[100]);
        Assert.True(cache.Put(key, value, _time.GetTimestamp(), _minute));
        return (new(key), new(value));
    }

    private LruCache NewCache(int maximumEntries = 100, long maximumBytes = 1_000_000, TimeSpan retention = default) =>
        new(maximumEntries, maximumBytes, _time, retention)
        {
            Removed = (entry, cause) => _removed.Add($"{Encoding.UTF8.GetString(entry.Key.Span)} {cause}"),
        };

    private void Put(LruCache cache, string key, byte[]? value = null, TimeSpan? life = null, TimeSpan? originLife = null) =>
        Assert.True(cache.Put(Bytes(key), value ?? [], _time.GetTimestamp(), life ?? _minute, originLife: originLife));

    private bool Retains(LruCache cache, string key) => cache.TryGetRetained(Bytes(key), _time.GetTimestamp(), out _);

    private static bool Holds(LruCache cache, string key) => cache.TryGet(Bytes(key), out _);

    private static byte[] Bytes(string key) => Encoding.UTF8.GetBytes(key);
}
