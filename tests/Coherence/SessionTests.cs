using Microsoft.Extensions.Time.Testing;
using RpOrleans.Grains.Coherence;

namespace RpOrleans.Tests.Coherence;

/// <summary>When a copy may be used: docs/coherence.md, 2 to 4.</summary>
public sealed class SessionTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(0.5);

    private readonly FakeTimeProvider _clock = new();
    private readonly Session _session;
    private bool _same = true;

    public SessionTests() => _session = new Session(_clock);

    [Fact]
    public void NothingIsConfirmedBeforeTheFirstHeartbeatIsAnswered()
    {
        var number = Open();

        Assert.False(_session.Confirms(number, out _));
        Assert.Equal(Freshness.Unconfirmed, _session.Basis);

        _session.Confirm(number, Now, _bound);

        Assert.True(_session.Confirms(number, out var basis));
        Assert.Equal(Freshness.Tracking, basis);
    }

    [Fact]
    public void TheBoundCountsFromTheSendingOfTheHeartbeatNotFromItsAnswer()
    {
        var number = Open();
        var sent = Now;
        _clock.Advance(0.4 * _bound); // on its way
        _session.Confirm(number, sent, _bound);

        _clock.Advance(0.59 * _bound);
        Assert.True(_session.Confirms(number, out _));
        _clock.Advance(0.02 * _bound);
        Assert.False(_session.Confirms(number, out _));
    }

    [Fact]
    public void SilentThenAnsweredLosesNothing()
    {
        var number = Open();
        _session.Confirm(number, Now, _bound);
        _clock.Advance(10 * _bound);
        Assert.False(_session.Confirms(number, out _));

        _session.Confirm(number, Now, _bound);

        Assert.True(_session.Confirms(number, out _));
    }

    [Fact]
    public void AnAnswerToAHeartbeatOfAnEarlierSessionCountsForNothing()
    {
        var earlier = Open();
        var number = Open();

        _session.Confirm(earlier, Now, _bound);

        Assert.False(_session.Confirms(number, out _));
        Assert.False(_session.Confirms(earlier, out _));
    }

    [Fact]
    public void WhatWasLoadedInAnEarlierSessionIsNeverConfirmedAgain()
    {
        var earlier = Open();
        _session.Confirm(earlier, Now, _bound);
        _session.Break();
        Assert.False(_session.Confirms(earlier, out _));
        var number = Open();
        _session.Confirm(number, Now, _bound);

        Assert.False(_session.Confirms(earlier, out _));
        Assert.True(_session.Confirms(number, out _));
    }

    [Fact]
    public void ANewSocketEndsTheSessionAtOnce()
    {
        var number = Open();
        _session.Confirm(number, Now, _bound);

        _same = false;

        Assert.False(_session.Confirms(number, out _));
        Assert.Equal(Session.None, _session.Number);
    }

    [Fact]
    public void WhatIsLoadedWithoutASessionIsNeverConfirmed()
    {
        _session.Await();
        var none = _session.Number;
        var number = Open();
        _session.Confirm(number, Now, _bound);

        Assert.False(_session.Confirms(none, out _));
    }

    [Fact]
    public void ByExpiryWhatWasReadOfAnotherDataSetIsNotFresh()
    {
        _session.OpenByExpiry(anotherDataSet: true);
        var number = _session.Number;
        _session.OpenByExpiry(anotherDataSet: false);
        Assert.True(_session.Confirms(number, out var basis));
        Assert.Equal(Freshness.Expiry, basis);

        _session.OpenByExpiry(anotherDataSet: true);

        Assert.False(_session.Confirms(number, out _));
    }

    private long Now => _clock.GetTimestamp();

    private int Open() => _session.Open(() => _same);
}
