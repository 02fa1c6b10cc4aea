using Microsoft.Extensions.Time.Testing;
using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Lru;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Tests.Coherence;

/// <summary>Which answers are kept, and which copies served: docs/coherence.md, 1, 4 and 6.</summary>
public sealed class HeldEntriesTests
{
    private static readonly byte[] _key = [.. "key"u8];
    private static readonly byte[] _old = [.. "old"u8];
    private static readonly byte[] _new = [.. "new"u8];
    private static readonly TimeSpan _life = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _clock = new();
    private readonly Session _session;
    private readonly HeldEntries _entries;

    public HeldEntriesTests()
    {
        var cache = new LruCache(100, 1_000_000, _clock);
        _session = new Session(_clock);
        _entries = new HeldEntries(cache, _session, new NodeMetrics(cache), new CacheOptions(), _clock);
        OpenSession();
    }

    [Fact]
    public void ALoadIsKept()
    {
        Assert.True(Load(_old));

        Assert.Equal(_old, Held());
    }

    [Fact]
    public void AnInvalidationRemovesTheCopy()
    {
        Load(_old);

        _entries.Invalidate(_key);

        Assert.Null(Held());
    }

    [Fact]
    public void AnInvalidationThatOvertakesTheReplyVoidsTheLoad()
    {
        var load = _entries.BeginLoad(_key);
        _entries.Invalidate(_key);

        Assert.False(_entries.End(load, keep: true, _old, Now, _life));
        Assert.Null(Held());
    }

    [Fact]
    public void AFlushVoidsEveryLoadAndRemovesEveryCopy()
    {
        Load(_old, "other"u8.ToArray());
        var load = _entries.BeginLoad(_key);

        _entries.InvalidateAll();

        Assert.False(_entries.End(load, keep: true, _old, Now, _life));
        Assert.Null(Held());
        Assert.False(_entries.TryHit("other"u8.ToArray(), out _));
    }

    [Fact]
    public void AReaderDoesNotJoinALoadThatWasVoided()
    {
        var load = _entries.BeginLoad(_key);
        load.Load = Task.FromResult(default(Lookup));
        Assert.NotNull(_entries.Joinable(_key));

        _entries.Invalidate(_key);

        Assert.Null(_entries.Joinable(_key));
    }

    [Fact]
    public void AWriteDropsTheCopyWhenItIsSentAndVoidsTheLoadsBeforeIt()
    {
        Load(_old);
        var load = _entries.BeginLoad(_key);
        var write = _entries.BeginWrite(_key);
        Assert.Null(Held());

        Assert.False(_entries.End(load, keep: true, _old, Now, _life));
        Assert.Null(Held());
        Assert.True(_entries.End(write, keep: true, _new, Now, _life));
        Assert.Equal(_new, Held());
    }

    [Fact]
    public void TwoWritesThatAreAnsweredOutOfOrderLeaveTheOneThatWasSentLastOrNothing()
    {
        var first = _entries.BeginWrite(_key);
        var second = _entries.BeginWrite(_key);

        _entries.End(second, keep: true, _new, Now, _life);
        _entries.End(first, keep: true, _old, Now, _life);

        Assert.NotEqual(_old, Held());
    }

    [Fact]
    public void AnAnswerThatIsNotKeptDropsTheCopyThatIsThere()
    {
        var first = _entries.BeginLoad(_key);
        var second = _entries.BeginLoad(_key);
        _entries.End(second, keep: true, _old, Now, _life);

        _entries.End(first, keep: true, _new, Now, _life); // sent before, executed perhaps after

        Assert.Null(Held());
    }

    [Fact]
    public void AWriteWhoseTokenWasVoidedIsNotKept()
    {
        var write = _entries.BeginWrite(_key);
        _entries.Invalidate(_key);

        Assert.False(_entries.End(write, keep: true, _new, Now, _life));
        Assert.Null(Held());
    }

    [Fact]
    public void ALoadThatFailsLeavesTheCopyThatIsThere()
    {
        Load(_old);
        _session.Break();

        _entries.Fail(_entries.BeginLoad(_key));

        Assert.True(_entries.TryStale(_key, null, confirmedOnly: false, out var copy));
        Assert.Equal(_old, copy.Value);
        Assert.True(copy.Stale);
    }

    [Fact]
    public void ABrokenSessionMakesCopiesUnconfirmedUntilTheyAreReadAgain()
    {
        Load(_old);
        _session.Break();
        Assert.Null(Held());
        OpenSession();
        Assert.Null(Held());

        Load(_new);

        Assert.Equal(_new, Held());
    }

    [Fact]
    public void ALoadOfAnEarlierSessionIsNotConfirmedInTheNext()
    {
        var load = _entries.BeginLoad(_key);
        OpenSession();

        _entries.End(load, keep: true, _old, Now, _life);

        Assert.Null(Held());
    }

    [Fact]
    public void WhatWasInvalidatedIsNeverServedHoweverIllRedisIs()
    {
        Load(_old);
        _entries.Invalidate(_key);
        _session.Break();

        Assert.False(_entries.TryStale(_key, null, confirmedOnly: false, out _));
    }

    [Fact]
    public void AbsenceIsServedOnlyWhileItIsConfirmed()
    {
        Load(null);
        Assert.True(_entries.TryHit(_key, out var hit));
        Assert.Equal(LookupStatus.Absent, hit.Status);

        _session.Break();

        Assert.False(_entries.TryHit(_key, out _));
        Assert.False(_entries.TryStale(_key, null, confirmedOnly: false, out _)); // an error is never a miss
    }

    [Fact]
    public void WhatHasExpiredIsNotServedUnconfirmedEither()
    {
        Load(_old);
        _session.Break();

        _clock.Advance(_life);

        Assert.False(_entries.TryStale(_key, null, confirmedOnly: false, out _));
    }

    private long Now => _clock.GetTimestamp();

    private byte[]? Held() => _entries.TryHit(_key, out var hit) ? hit.Value : null;

    private bool Load(byte[]? value, byte[]? key = null) =>
        _entries.End(_entries.BeginLoad(key ?? _key), keep: true, value, Now, _life);

    private void OpenSession() => _session.Confirm(_session.Open(() => true), Now, TimeSpan.FromDays(1));
}
