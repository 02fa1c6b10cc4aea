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
    private readonly CacheOptions _options = new() { RefreshAhead = 0.9, StaleIfError = TimeSpan.FromMinutes(2) };
    private readonly List<byte[]> _refreshed = [];
    private readonly Session _session;
    private readonly HeldEntries _entries;

    public HeldEntriesTests()
    {
        _session = new Session(_clock);
        _entries = NewEntries(_options);
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
        Assert.Equal(_old, copy.Value.ToArray());
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
        var entries = NewEntries(new CacheOptions());
        entries.End(entries.BeginLoad(_key), keep: true, _old, Now, _life);
        _session.Break();

        _clock.Advance(_life);

        Assert.False(entries.TryStale(_key, null, confirmedOnly: false, out _));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatHasExpiredIsServedForAsLongAsIsSetAndSaysSo(bool confirmed)
    {
        Load(_old);
        if (!confirmed)
        {
            _session.Break();
        }

        _clock.Advance(_life + TimeSpan.FromSeconds(7));

        Assert.Null(Held());
        Assert.True(_entries.TryStale(_key, null, confirmedOnly: false, out var copy));
        Assert.Equal((Freshness.Expired, true), (copy.Freshness, copy.Stale));
        Assert.Equal((67_000, -7_000), (copy.AgeMilliseconds, copy.FreshMilliseconds));
        Assert.Equal(confirmed, _entries.TryStale(_key, null, confirmedOnly: true, out _));
        _clock.Advance(_options.StaleIfError - TimeSpan.FromSeconds(7));
        Assert.False(_entries.TryStale(_key, null, confirmedOnly: false, out _));
    }

    [Fact]
    public void WhatHasExpiredAndWasThenInvalidatedOrWrittenIsGone()
    {
        foreach (var end in new Action[] { () => _entries.Invalidate(_key), () => _entries.BeginWrite(_key), _entries.InvalidateAll })
        {
            Load(_old);
            _clock.Advance(_life);
            Assert.True(_entries.TryStale(_key, null, confirmedOnly: false, out _));

            end();

            Assert.False(_entries.TryStale(_key, null, confirmedOnly: false, out _));
        }
    }

    [Fact]
    public void WhatHasExpiredIsNotServedBeyondItsTimeInRedis()
    {
        _entries.End(_entries.BeginLoad(_key), keep: true, _old, Now, _life, originLife: _life + TimeSpan.FromSeconds(30));

        _clock.Advance(_life + TimeSpan.FromSeconds(29));
        Assert.True(_entries.TryStale(_key, null, confirmedOnly: false, out _));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(_entries.TryStale(_key, null, confirmedOnly: false, out _));
    }

    [Fact]
    public void AbsenceThatHasExpiredIsNeverServed()
    {
        Load(null);

        _clock.Advance(_life);

        Assert.False(_entries.TryStale(_key, null, confirmedOnly: false, out _));
    }

    [Theory]
    [InlineData(67.0, null, null, true)]
    [InlineData(66.9, null, null, false)]
    [InlineData(null, 0.0, null, false)]
    [InlineData(null, null, 7.0, true)]
    [InlineData(null, null, 6.9, false)]
    [InlineData(null, null, 0.0, false)]
    [InlineData(67.0, null, 6.9, false)]
    public void AReadersTermsHoldForWhatHasExpired(double? maximumAge, double? minimumFresh, double? maximumStale, bool served)
    {
        Load(_old);
        _clock.Advance(_life + TimeSpan.FromSeconds(7));

        Assert.Equal(served, _entries.TryStale(_key, Terms(maximumAge, minimumFresh, maximumStale), confirmedOnly: false, out _));
    }

    [Theory]
    [InlineData(7.0, 53.0, 1.0, true)]
    [InlineData(6.9, null, null, false)]
    [InlineData(null, 53.1, null, false)]
    [InlineData(null, null, 0.0, false)]
    public void AReadersTermsHoldForWhatIsUnconfirmed(double? maximumAge, double? minimumFresh, double? maximumStale, bool served)
    {
        Load(_old);
        _session.Break();
        _clock.Advance(TimeSpan.FromSeconds(7));

        Assert.Equal(served, _entries.TryStale(_key, Terms(maximumAge, minimumFresh, maximumStale), confirmedOnly: false, out _));
    }

    [Fact]
    public void TheThirdHitInTheLastShareOfALifeRefreshesOnce()
    {
        Load(_old);
        Held();
        Held();
        _clock.Advance((0.9 * _life) - TimeSpan.FromTicks(1));
        Held();
        Assert.Empty(_refreshed); // often asked for, and not near its end

        _clock.Advance(TimeSpan.FromTicks(1));
        Held();
        Held();

        Assert.Equal([_key], _refreshed);
        Load(_new);
        _clock.Advance(0.95 * _life);
        Held();
        Held();
        Assert.Single(_refreshed); // what was loaded since was asked for twice
        Held();
        Assert.Equal(2, _refreshed.Count);
    }

    [Fact]
    public void WhereItIsTurnedOffNothingIsRefreshed()
    {
        var entries = NewEntries(new CacheOptions { RefreshAhead = 1 });
        entries.End(entries.BeginLoad(_key), keep: true, _old, Now, _life);
        _clock.Advance(_life - TimeSpan.FromTicks(1));

        for (var i = 0; i < 10; i++)
        {
            Assert.True(entries.TryHit(_key, out _));
        }

        Assert.Empty(_refreshed);
    }

    [Fact]
    public void ARefreshBeginsOnlyForWhatIsHeldAndWhereNothingIsUnderWay()
    {
        Assert.Null(_entries.BeginRefresh(_key));
        Load(_old);
        var write = _entries.BeginWrite(_key);
        Assert.Null(_entries.BeginRefresh(_key)); // it would overtake the write
        _entries.End(write, keep: true, _new, Now, _life);

        Assert.NotNull(_entries.BeginRefresh(_key));
        Assert.Null(_entries.BeginRefresh(_key));
    }

    [Fact]
    public void ARefreshThatAnInvalidationOvertakesIsNotKept()
    {
        Load(_old);
        var refresh = _entries.BeginRefresh(_key)!;
        _entries.Invalidate(_key);

        Assert.False(_entries.End(refresh, keep: true, _old, Now, _life));
        Assert.Null(Held());
    }

    private long Now => _clock.GetTimestamp();

    private byte[]? Held() => _entries.TryHit(_key, out var hit) ? hit.Value.ToArray() : null;

    private bool Load(byte[]? value, byte[]? key = null) =>
        _entries.End(_entries.BeginLoad(key ?? _key), keep: true, value, Now, _life);

    private HeldEntries NewEntries(CacheOptions options)
    {
        var cache = new LruCache(100, 1_000_000, _clock, options.StaleIfError);
        return new HeldEntries(cache, _session, new NodeMetrics(cache), options, _clock) { RefreshDue = _refreshed.Add };
    }

    private static CopyTerms Terms(double? maximumAge, double? minimumFresh, double? maximumStale)
    {
        return new CopyTerms(Seconds(maximumAge), Seconds(minimumFresh), Seconds(maximumStale));

        static TimeSpan? Seconds(double? seconds) => seconds is { } some ? TimeSpan.FromSeconds(some) : null;
    }

    private void OpenSession() => _session.Confirm(_session.Open(() => true), Now, TimeSpan.FromDays(1));
}
