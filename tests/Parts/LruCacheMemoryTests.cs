using CsCheck;
using Microsoft.Extensions.Time.Testing;
using RpOrleans.Grains.Lru;

namespace RpOrleans.Tests.Parts;

/// <summary>What the cache holds lies in memory that is moved, let go and compacted; nobody who was given a value sees anything of that.</summary>
public sealed class LruCacheMemoryTests
{
    private const long MaximumBytes = 6_000_000;

    /// <summary>What is allocated beside what is counted: the pieces that are begun, and what may be dead of so little.</summary>
    private const long Begun = 1_200_000;

    private static readonly TimeSpan _life = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void ChurnWithDifferingSizesDoesWhatADictionaryDoesAndTakesNoMoreMemoryThanItCounts() =>
        Gen.Select(Gen.Int, Gen.Int[1, 10_000], Gen.Int[1, 3]).Sample((seed, keys, kind) => new Churn(seed, keys, kind).Run(60_000), iter: 30);

    [Fact]
    public void WhatWasHandedOutStaysWhatItIs()
    {
        var cache = new LruCache(int.MaxValue, MaximumBytes / 2, _time);
        var random = new Random(1);
        var handedOut = new List<(ReadOnlyMemory<byte> Shared, byte[] Copy)>();
        for (var i = 0; i < 200_000; i++)
        {
            var value = new byte[random.Next(400)];
            random.NextBytes(value);
            var key = BitConverter.GetBytes(random.Next(20_000));
            cache.Put(key, value, _time.GetTimestamp(), _life);
            Assert.True(cache.TryGet(key, out var entry));
            if (i % 100 == 0)
            {
                handedOut.Add((entry.Value, value));
            }
        }

        Assert.InRange(cache.Evictions, 10_000, long.MaxValue);
        AssertUnchanged();
        cache.Clear(RemovalCause.Invalidated);
        for (var i = 0; i < 20_000; i++)
        {
            cache.Put(BitConverter.GetBytes(i), new byte[100], _time.GetTimestamp(), _life);
        }

        GC.Collect();
        AssertUnchanged();

        void AssertUnchanged() => Assert.All(handedOut, value => Assert.True(value.Shared.Span.SequenceEqual(value.Copy)));
    }

    [Theory]
    [InlineData("expired")]
    [InlineData("removed")]
    [InlineData("chosen")]
    [InlineData("cleared")]
    public void ACacheThatEmptiesGivesItsMemoryBack(string how)
    {
        var cache = new LruCache(int.MaxValue, long.MaxValue, _time);
        Assert.InRange(cache.Allocated, 0, 1_000);
        for (var i = 0; i < 100_000; i++)
        {
            cache.Put(BitConverter.GetBytes(i), new byte[100], _time.GetTimestamp(), _life);
        }

        Assert.InRange(cache.Allocated, 15_000_000, cache.Bytes);
        switch (how)
        {
            case "expired":
                _time.Advance(2 * _life);
                Assert.Equal(100_000, cache.RemoveExpired(int.MaxValue));
                break;
            case "removed":
                Assert.All(Enumerable.Range(0, 100_000), i => Assert.True(cache.Remove(BitConverter.GetBytes(i), RemovalCause.Invalidated)));
                break;
            case "chosen":
                Assert.Equal(100_000, cache.RemoveWhere(_ => true, RemovalCause.Moved));
                break;
            default:
                cache.Clear(RemovalCause.Invalidated);
                break;
        }

        Assert.Equal((0, 0), (cache.Count, cache.Bytes));
        Assert.InRange(cache.Allocated, 0, how == "cleared" ? 0 : Begun);
    }

    [Fact]
    public void AFewThatAreLeftOfManyTakeLittle()
    {
        var cache = new LruCache(int.MaxValue, long.MaxValue, _time);
        for (var i = 0; i < 200_000; i++)
        {
            cache.Put(BitConverter.GetBytes(i), BitConverter.GetBytes(~i), _time.GetTimestamp(), _life);
        }

        cache.RemoveWhere(key => BitConverter.ToInt32(key) % 100 != 7, RemovalCause.Moved); // of every segment something is left

        Assert.Equal(2_000, cache.Count);
        Assert.InRange(cache.Allocated, 1, Begun);
        for (var i = 7; i < 200_000; i += 100)
        {
            Assert.True(cache.TryGet(BitConverter.GetBytes(i), out var entry));
            Assert.Equal(~i, BitConverter.ToInt32(entry.Value.Span));
        }
    }

    /// <summary>The same done to a cache and to a dictionary.</summary>
    private sealed class Churn
    {
        private readonly FakeTimeProvider _time = new();
        private readonly Random _random;
        private readonly int _keys;
        private readonly int _kind;
        private readonly LruCache _cache;
        private readonly Dictionary<int, byte[]> _held = [];
        private readonly List<(ReadOnlyMemory<byte> Shared, byte[] Copy)> _handedOut = [];
        private bool _clearing;

        public Churn(int seed, int keys, int kind)
        {
            (_random, _keys, _kind) = (new Random(seed), keys, kind);
            _cache = new LruCache(int.MaxValue, MaximumBytes, _time)
            {
                Removed = (entry, _) =>
                {
                    Assert.True(_clearing | _held.Remove(BitConverter.ToInt32(entry.Key.Span), out var value));
                    Assert.True(_clearing || entry.Value.Span.SequenceEqual(value));
                },
            };
        }

        public void Run(int steps)
        {
            for (var step = 0; step < steps; step++)
            {
                Do(_random.Next(1_000), _random.Next(_keys));
                Assert.Equal(_held.Count, _cache.Count);
                Assert.InRange(_cache.Allocated, 0, _cache.Bytes + (_cache.Bytes / 8) + Begun);
            }

            foreach (var (key, value) in _held)
            {
                Assert.True(_cache.TryFind(BitConverter.GetBytes(key), out var entry));
                Assert.True(entry.Value.Span.SequenceEqual(value));
            }

            Assert.All(_handedOut, value => Assert.True(value.Shared.Span.SequenceEqual(value.Copy)));
        }

        private void Do(int dice, int key)
        {
            var bytes = BitConverter.GetBytes(key);
            if (dice == 0)
            {
                _cache.RemoveWhere(chosen => BitConverter.ToInt32(chosen) % 3 == 0, RemovalCause.Moved);
                Assert.DoesNotContain(_held.Keys, held => held % 3 == 0);
            }
            else if (dice == 1 && _random.Next(20) == 0)
            {
                _clearing = true;
                _cache.Clear(RemovalCause.Invalidated);
                _held.Clear();
                _clearing = false;
            }
            else if (dice < 5)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                _cache.RemoveExpired(500);
            }
            else if (dice < 100)
            {
                _cache.Remove(bytes, RemovalCause.Invalidated);
                Assert.DoesNotContain(key, _held);
            }
            else if (dice < 300)
            {
                Assert.Equal(_held.TryGetValue(key, out var value), _cache.TryFind(bytes, out var entry));
                Assert.True(entry.Value.Span.SequenceEqual(value));
                if (dice == 150 && value is not null)
                {
                    _handedOut.Add((entry.Value, value));
                }
            }
            else
            {
                var value = new byte[_kind switch { 1 => _random.Next(300), 2 => _random.Next(16_000), _ => (int)Math.Pow(10, 5 * _random.NextDouble()) }];
                _random.NextBytes(value.AsSpan(0, Math.Min(64, value.Length)));
                Assert.True(_cache.Put(bytes, value, _time.GetTimestamp(), TimeSpan.FromSeconds(_random.Next(1, 300))));
                _held[key] = value;
            }
        }
    }
}
