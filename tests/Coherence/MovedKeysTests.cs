using CsCheck;
using Microsoft.Extensions.Time.Testing;
using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Lru;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Tests.Coherence;

/// <summary>Keys that belong to another node now are not found from that moment on, however long it takes to look at all.</summary>
public sealed class MovedKeysTests
{
    private const int Keys = 20_000;

    private static readonly TimeSpan _life = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new();
    private readonly LruCache _cache;
    private readonly HeldEntries _entries;

    public MovedKeysTests()
    {
        var session = new Session(_time);
        session.Confirm(session.Open(() => true), _time.GetTimestamp(), TimeSpan.FromDays(1));
        _cache = new LruCache(int.MaxValue, long.MaxValue, _time, _life);
        _entries = new HeldEntries(_cache, session, new NodeMetrics(_cache), new CacheOptions(), _time);
        Load(0, Keys);
    }

    [Fact]
    public void NoneIsFoundAnyMoreAndTheRestIs()
    {
        Assert.True(_entries.DropMoved(IsEven)); // there are more than it looks at at once

        for (var key = 0; key < Keys; key += 2)
        {
            var bytes = Bytes(key);
            Assert.False((key % 5) switch
            {
                0 => _entries.TryHit(bytes, out _),
                1 => _entries.TryStale(bytes, null, confirmedOnly: false, out _),
                2 => _entries.Explain(bytes).Held,
                3 => _entries.BeginRefresh(bytes) is not null,
                _ => HoldsAfterANotedHit(bytes),
            });
        }

        Assert.All(Enumerable.Range(0, Keys / 2), i => Assert.True(_entries.TryHit(Bytes((2 * i) + 1), out _)));
    }

    [Fact]
    public void WhatNobodyAsksForIsSwept()
    {
        _entries.DropMoved(IsEven);
        Assert.InRange(_cache.Count, (Keys / 2) + 1, Keys);

        _entries.SweepMoved();

        Assert.Equal(Keys / 2, _cache.Count);
    }

    [Fact]
    public void WhatCameBackBeforeItWasSweptIsGoneAllTheSame()
    {
        _entries.DropMoved(IsEven);
        _entries.DropMoved(key => !IsEven(key)); // another may have written the even ones in between

        Assert.All(Enumerable.Range(0, Keys), key => Assert.False(_entries.TryHit(Bytes(key), out _)));
        _entries.SweepMoved();
        Assert.Equal(0, _cache.Count);
    }

    [Fact]
    public void WhatIsLoadedAfterASweepStays()
    {
        _entries.DropMoved(IsEven);
        _entries.SweepMoved();
        Load(0, 10);

        Assert.All(Enumerable.Range(0, 10), key => Assert.True(_entries.TryHit(Bytes(key), out _)));
    }

    [Fact]
    public void AFlushEndsASweep()
    {
        _entries.DropMoved(IsEven);
        _entries.InvalidateAll();
        Load(0, 10);

        Assert.All(Enumerable.Range(0, 10), key => Assert.True(_entries.TryHit(Bytes(key), out _)));
    }

    [Fact]
    public void NoneGetsPastASweepHoweverManyComeAndGoBetweenItsSteps() => Gen.Select(Gen.Int, Gen.Int[1, 5_000]).Sample(
        (seed, most) =>
        {
            var random = new Random(seed);
            var cache = new LruCache(int.MaxValue, long.MaxValue, _time);
            for (var key = 0; key < Keys; key++)
            {
                Put(key);
            }

            var removal = new GradualRemoval(cache, RemovalCause.Moved);
            removal.Begin(IsEven);
            while (removal.Step(most))
            {
                for (var i = random.Next(most); i > 0; i--)
                {
                    cache.Remove(Bytes(random.Next(Keys)), RemovalCause.Invalidated); // the table shrinks, and moves others
                }

                for (var i = random.Next(100); i > 0; i--)
                {
                    Put(random.Next(Keys / 2) * 2 + 1);
                }
            }

            Assert.Equal(0, cache.RemoveWhere(IsEven, RemovalCause.Moved));

            void Put(int key) => cache.Put(Bytes(key), [], _time.GetTimestamp(), _life);
        },
        iter: 100);

    private bool HoldsAfterANotedHit(byte[] key)
    {
        _entries.NoteHit(key);
        return _cache.Contains(key);
    }

    private void Load(int from, int count)
    {
        for (var key = from; key < from + count; key++)
        {
            _entries.End(_entries.BeginLoad(Bytes(key)), keep: true, Bytes(~key), _time.GetTimestamp(), _life);
        }
    }

    private static bool IsEven(ReadOnlySpan<byte> key) => (key[0] & 1) == 0;

    private static byte[] Bytes(int key) => BitConverter.GetBytes(key);
}
