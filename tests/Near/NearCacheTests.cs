using System.Text;
using Microsoft.Extensions.Time.Testing;
using RpOrleans.Gateway.Near;
using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Tests.Near;

/// <summary>When a gateway may answer from a copy, rule by rule.</summary>
public sealed class NearCacheTests
{
    private static readonly byte[] _key = [.. "key"u8];

    private readonly FakeTimeProvider _time = new();
    private readonly NearCache _cache;
    private readonly NodeLease _lease;
    private long _sequence;

    public NearCacheTests()
    {
        _cache = new NearCache(1_000_000, _time);
        _lease = _cache.NewLease();
    }

    [Fact]
    public void ACopyIsUsedWhileTheLeaseHoldsAndNotATickLonger()
    {
        Renew(valid: 500);
        Load("value");

        _time.Advance(TimeSpan.FromMilliseconds(500) - TimeSpan.FromTicks(1));
        Assert.Equal("value", Hit());
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Null(Hit());

        Renew(valid: 500); // silent, then answered: nothing was lost
        Assert.Equal("value", Hit());
    }

    [Fact]
    public void WhileRedisFailsAValueIsUsedForAsLongAsTheNodeSaysAndMarked()
    {
        Renew(valid: 100, unconfirmed: 500);
        Load("value");
        Assert.Equal(Freshness.Tracking, Basis());

        _time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(("value", Freshness.Unconfirmed), (Hit(), Basis()));
        _time.Advance(TimeSpan.FromMilliseconds(400));
        Assert.Null(Hit());

        Renew(valid: 0, unconfirmed: 500);
        Assert.Equal(("value", Freshness.Unconfirmed), (Hit(), Basis()));
        Renew(valid: 0, unconfirmed: 500, takenBack: _key);
        Assert.Null(Hit());
    }

    [Fact]
    public void ThatAKeyIsAbsentIsNotSaidUnconfirmed()
    {
        Renew(valid: 100, unconfirmed: 500);
        End(_cache.Begin(_lease), new Lookup { Status = LookupStatus.Absent, Source = LookupSource.Cache, Granted = true, FreshMilliseconds = 1_000 });

        _time.Advance(TimeSpan.FromMilliseconds(100));

        Assert.Null(Hit());
    }

    [Fact]
    public void ALeaseCountsFromWhenItWasAskedFor()
    {
        var sent = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromMilliseconds(400));
        Renew(valid: 500, sent: sent);
        Load("value");

        _time.Advance(TimeSpan.FromMilliseconds(100));

        Assert.Null(Hit());
    }

    [Fact]
    public void ACopysLifeCountsFromWhenItWasAskedFor()
    {
        Renew(valid: 5_000);
        var load = _cache.Begin(_lease);
        _time.Advance(TimeSpan.FromMilliseconds(300));
        End(load, Granted("value") with { AgeMilliseconds = 1_000, FreshMilliseconds = 400 });

        Assert.True(_cache.TryHit(_lease, _key, out var hit));
        Assert.Equal((1_300, 100), (hit.AgeMilliseconds, hit.FreshMilliseconds));
        _time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Null(Hit());
    }

    [Fact]
    public void WhatIsTakenBackIsNotUsed()
    {
        Renew(valid: 500);
        Load("value");

        Renew(valid: 500, takenBack: _key);

        Assert.Null(Hit());
        Assert.Equal(_sequence, _lease.Acknowledged);
    }

    [Fact]
    public void WhatIsTakenBackWhileItIsOnItsWayIsNotKept()
    {
        Renew(valid: 500);
        var load = _cache.Begin(_lease);

        Renew(valid: 500, takenBack: _key);
        End(load, Granted("value"));

        Assert.Null(Hit());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void NothingIsLeftOfAnotherSession(bool onItsWay)
    {
        Renew(valid: 500);
        var load = _cache.Begin(_lease);
        if (!onItsWay)
        {
            End(load, Granted("value"));
        }

        Renew(valid: 500, session: 2);
        if (onItsWay)
        {
            End(load, Granted("value"));
        }

        Assert.Null(Hit());
    }

    [Fact]
    public void EverythingCanBeTakenBackAtOnce()
    {
        Renew(valid: 500);
        Load("value");

        _cache.Renew(_lease, new LeaseAnswer(1, ++_sequence, KeyBatch.Of(), All: true, 500, Freshness.Tracking), _time.GetTimestamp());

        Assert.Null(Hit());
    }

    [Fact]
    public void AnAnswerThatSaysSomethingElseEndsACopy()
    {
        Renew(valid: 500);
        Load("value");

        End(_cache.Begin(_lease), Granted("value") with { Granted = false });
        Assert.Equal("value", Hit());
        End(_cache.Begin(_lease), Granted("newer") with { Granted = false });
        Assert.Null(Hit());

        Load("value");
        End(_cache.Begin(_lease), default); // no longer held
        Assert.Null(Hit());
    }

    [Fact]
    public void AnErrorEndsNoCopy()
    {
        Renew(valid: 500);
        Load("value");

        End(_cache.Begin(_lease), Lookup.Failed(OriginFault.BreakerOpen));
        _cache.Note(_lease, _key, Lookup.Failed(OriginFault.TimedOut));

        Assert.Equal("value", Hit());
    }

    [Fact]
    public void ANodeThatIsSilentOfWhatItHoldsEndsNoCopy()
    {
        Renew(valid: 500);
        Load("value");
        _time.Advance(TimeSpan.FromMilliseconds(500));

        End(_cache.Begin(_lease), default);

        Renew(valid: 500);
        Assert.Equal("value", Hit());
    }

    [Fact]
    public void AReadThatWasAnsweredOtherwiseVoidsALookUpThatIsOnItsWay()
    {
        Renew(valid: 500);
        var load = _cache.Begin(_lease);

        _cache.Note(_lease, _key, Granted("newer"));
        End(load, Granted("value"));

        Assert.Null(Hit());
    }

    [Fact]
    public void ThatAKeyIsAbsentIsCopiedToo()
    {
        Renew(valid: 500);
        End(_cache.Begin(_lease), new Lookup { Status = LookupStatus.Absent, Source = LookupSource.Cache, Granted = true, FreshMilliseconds = 1_000 });

        Assert.True(_cache.TryHit(_lease, _key, out var hit));
        Assert.Equal(LookupStatus.Absent, hit.Status);
    }

    [Fact]
    public void OnlyWhatIsAskedForOftenIsWanted()
    {
        Assert.Equal([false, false, true, true], Enumerable.Range(0, 4).Select(_ => _cache.Wants(_key)));
        Assert.All(Enumerable.Range(0, 1_000), i => Assert.False(_cache.Wants(Encoding.UTF8.GetBytes($"cold {i}"))));
    }

    [Fact]
    public void TheNodeIsToldOnceOfEachKeyThatWasAnsweredFromACopy()
    {
        Renew(valid: 500);
        Load("value");
        Hit();
        Hit();

        Assert.Equal([_key], _cache.TakeHits(_lease).ToList());
        Assert.Empty(_cache.TakeHits(_lease).ToList());
        Hit();
        Assert.Equal([_key], _cache.TakeHits(_lease).ToList());
        Assert.Equal(3, _cache.Hits);
    }

    private static Lookup Granted(string value) => new()
    {
        Status = LookupStatus.Found, Source = LookupSource.Cache, Freshness = Freshness.Tracking, Value = Encoding.UTF8.GetBytes(value), Granted = true, FreshMilliseconds = 10_000,
    };

    private void Renew(int valid, long session = 1, long? sent = null, int unconfirmed = 0, params byte[][] takenBack)
    {
        _sequence += takenBack.Length;
        _cache.Renew(_lease, new LeaseAnswer(session, _sequence, KeyBatch.Of(takenBack), All: false, valid, Freshness.Tracking, unconfirmed), sent ?? _time.GetTimestamp());
    }

    private void Load(string value) => End(_cache.Begin(_lease), Granted(value));

    private void End(NearLoad load, Lookup answer) => _cache.End(_lease, load, KeyBatch.Of(_key), LookupBatch.Of(answer));

    private Freshness Basis() => _cache.TryHit(_lease, _key, out var hit) ? hit.Freshness : default;

    private string? Hit() => _cache.TryHit(_lease, _key, out var hit) ? Encoding.UTF8.GetString(hit.Value.Span) : null;
}
