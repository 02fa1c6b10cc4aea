using RpOrleans.Checker.Judging;

namespace RpOrleans.Tests.Parts;

/// <summary>Each rule of the checker on a small history that breaks it, beside one that just does not.</summary>
// Times are in milliseconds. The rules are those of tracking with a bound of 500 ms and RECORD_EXPIRY of 10 s, where nothing else is said.
public sealed class JudgeTests
{
    private static readonly Rules _tracking = Rules.For(Mode.Auto, Ms(500), Ms(500), Ms(10_000));
    private static readonly Rules _expiry = Rules.For(Mode.Expiry, Ms(2_000), Ms(500), Ms(2_000));

    private readonly List<Write> _writes = [];
    private readonly List<Read> _reads = [];
    private readonly List<Span> _disturbed = [];
    private readonly List<Span> _stoodIn = [];
    private readonly List<Span> _unconfirmed = [];
    private readonly List<Span> _upstream = [];
    private readonly List<Span> _frozen = [];
    private Rules _rules = _tracking;

    public JudgeTests() => AtRedis(0, 10); // version 1

    [Fact]
    public void WhatWasWrittenLastIsRight()
    {
        ThroughGateway(1_000, 1_010);
        Sees(1, 1_005, 1_015); // the write had not been acknowledged when it began
        Sees(2, 1_005, 1_016);
        Sees(2, 1_020, 1_025);

        Finds();
    }

    [Theory]
    [InlineData(nameof(ReadOutcome.OtherKey))]
    [InlineData(nameof(ReadOutcome.Malformed))]
    [InlineData(nameof(ReadOutcome.NoAnswer))]
    public void WhatIsNoAnswerAboutTheKeyIsFound(string outcome)
    {
        Add(Enum.Parse<ReadOutcome>(outcome), 0, 1_000, 1_010);

        Finds(Enum.Parse<Rule>(outcome));
    }

    [Fact]
    public void VersionBeforeItWasWrittenIsFound()
    {
        AtRedis(1_000, 1_010);
        Sees(2, 980, 999);

        Finds(Rule.NeverWritten);
    }

    [Fact]
    public void VersionThatNobodyWroteIsFound()
    {
        Sees(2, 1_000, 1_010);

        Finds(Rule.NeverWritten);
    }

    [Fact]
    public void VersionThatRedisNeverTookIsFound()
    {
        ThroughGateway(1_000, 5_000, Outcome.Never);
        Sees(1, 2_000, 2_010);
        Sees(2, 2_100, 2_110);

        Finds(Rule.NeverWritten);
    }

    [Fact]
    public void OlderThanAnAcknowledgedWriteIsFoundAtOnce()
    {
        ThroughGateway(1_000, 1_010);
        Sees(1, 1_011, 1_012);

        Finds(Rule.OlderThanAcknowledged);
    }

    [Fact]
    public void OlderThanAnAcknowledgedWriteMayBeMarked()
    {
        ThroughGateway(1_000, 1_010);
        Sees(1, 1_011, 1_012, marked: true);
        Sees(1, 11_009, 11_010, marked: true);

        Finds();
    }

    [Fact]
    public void OlderThanRecordExpiryIsFoundThoughMarked()
    {
        ThroughGateway(1_000, 1_010);
        Sees(1, 11_011, 11_012, marked: true);

        Finds(Rule.OlderThanUtmost);
    }

    [Fact]
    public void OlderThanAWriteAcknowledgedWhileViewsDifferedIsFoundAfterTheBound()
    {
        _disturbed.Add(new Span(Ms(900), Ms(1_005)));
        ThroughGateway(1_000, 1_010);
        Sees(1, 1_500, 1_501);
        Finds();

        Sees(1, 1_511, 1_512);
        Finds(Rule.OlderThanAcknowledged);
    }

    [Fact]
    public void FaultThatLetsOthersStandInExcusesNoOlderVersion()
    {
        _stoodIn.Add(new Span(Ms(900), Ms(1_005)));
        ThroughGateway(1_000, 1_010);
        Sees(1, 1_011, 1_012);

        Finds(Rule.OlderThanAcknowledged);
    }

    [Fact]
    public void InExpiryModeItExcusesForRecordExpiry()
    {
        _rules = _expiry;
        _disturbed.Add(new Span(Ms(900), Ms(1_005)));
        ThroughGateway(1_000, 1_010);
        Sees(1, 3_009, 3_010);
        Finds();

        Sees(1, 3_011, 3_012);
        Finds(Rule.OlderThanAcknowledged);
    }

    [Fact]
    public void OlderThanAnOutsideWriteIsFoundAfterTheBound()
    {
        AtRedis(1_000, 1_010);
        Sees(1, 1_510, 1_512);
        Finds();

        Sees(1, 1_511, 1_512, gateway: 1);
        Finds(Rule.OlderThanOutsideWrite);
    }

    [Fact]
    public void WriteThatWasFoundInRedisCountsAsAnOutsideOne()
    {
        ThroughGateway(1_000, 3_000, Outcome.Settled);
        Sees(1, 3_499, 3_500);
        Finds();

        Sees(1, 3_501, 3_502);
        Finds(Rule.OlderThanOutsideWrite);
    }

    [Fact]
    public void WriteOfWhichNobodyKnowsMayBeSeenOrNot()
    {
        ThroughGateway(1_000, int.MaxValue, Outcome.Unsettled);
        Sees(1, 90_000, 90_001);
        Sees(2, 90_002, 90_003);

        Finds();
    }

    [Fact]
    public void ValueWhoseTimeToLiveIsOverIsFound()
    {
        AtRedis(1_000, 1_010, timeToLive: 300);
        Sees(2, 1_310, 1_320);
        IsAbsent(1_300, 1_310);
        Finds();

        Sees(2, 1_331, 1_332, gateway: 1); // 1,310 and the slack between clocks
        Finds(Rule.Expired);
    }

    [Fact]
    public void AbsentThoughThereIsFound()
    {
        IsAbsent(1_000, 1_010);

        Finds(Rule.AbsentThoughThere);
    }

    [Fact]
    public void AbsentBeforeItsTimeToLiveIsOverIsFound()
    {
        AtRedis(1_000, 1_010, timeToLive: 300);
        IsAbsent(1_500, 1_510);
        Finds();

        IsAbsent(1_200, 1_270, gateway: 1);
        Finds(Rule.AbsentThoughThere);
    }

    [Fact]
    public void AbsentForATimeToLiveThatWasWrittenOverIsFound()
    {
        AtRedis(1_000, 1_010, timeToLive: 300);
        AtRedis(1_100, 1_110);
        IsAbsent(1_400, 1_410);

        Finds(Rule.AbsentThoughThere);
    }

    [Fact]
    public void DeletedIsAbsentUntilItIsWrittenAgain()
    {
        AtRedis(1_000, 1_010, deletes: true);
        IsAbsent(1_005, 1_006);
        ThroughGateway(2_000, 2_010);
        IsAbsent(1_999, 2_005);
        Finds();

        IsAbsent(2_011, 2_012, gateway: 1);
        Finds(Rule.AbsentThoughThere);
    }

    [Fact]
    public void ValueAfterAnAcknowledgedDeleteIsFound()
    {
        ThroughGateway(1_000, 1_010, deletes: true);
        Sees(1, 1_011, 1_012);

        Finds(Rule.OlderThanAcknowledged);
    }

    [Fact]
    public void BackwardsThroughOneGatewayIsFound()
    {
        AtRedis(1_000, 1_010);
        Sees(2, 1_020, 1_030);
        Sees(1, 1_025, 1_035); // at the same time
        Sees(1, 1_040, 1_050, gateway: 1); // through another
        Finds();

        Sees(1, 1_036, 1_040);
        Finds(Rule.Backwards);
    }

    [Fact]
    public void BackwardsFromAbsentIsFound()
    {
        AtRedis(1_000, 1_010, deletes: true);
        IsAbsent(1_020, 1_030);
        Sees(1, 1_031, 1_040);

        Finds(Rule.Backwards);
    }

    [Fact]
    public void BackwardsWhileOthersMayStandInIsFoundAfterTheBound()
    {
        _stoodIn.Add(new Span(Ms(1_100), Ms(1_200)));
        AtRedis(1_000, 1_010);
        Sees(2, 1_000, 1_005);
        Sees(1, 1_500, 1_501);
        Finds();

        Sees(1, 1_506, 1_507);
        Finds(Rule.Backwards);
    }

    [Fact]
    public void BackwardsAfterAReadThatAnotherThanTheOwnerMayHaveAnsweredIsFoundAfterTheBound()
    {
        AtRedis(1_000, 1_010);
        Sees(2, 1_020, 1_621);
        Sees(1, 1_640, 1_641);
        Finds(Rule.OlderThanOutsideWrite); // and not that as well

        Sees(1, 2_122, 2_123);
        Finds(Rule.OlderThanOutsideWrite, Rule.OlderThanOutsideWrite, Rule.Backwards);
    }

    [Theory]
    [InlineData(500, nameof(Rule.InternalError))]
    [InlineData(409, nameof(Rule.UnexpectedStatus))]
    public void StatusWithoutAReasonIsFound(short status, string rule)
    {
        Add(ReadOutcome.Error, 0, 1_000, 1_010, status: status);
        Finds(Enum.Parse<Rule>(rule));
        _reads.Clear();

        ThroughGateway(1_000, 5_000, Outcome.Never, status: status);
        Finds(Enum.Parse<Rule>(rule));
    }

    [Fact]
    public void LateReadIsFoundUnlessTheCheckerWasFrozen()
    {
        Sees(1, 1_000, 2_050);
        Finds();
        Sees(1, 1_000, 2_100);
        Finds(Rule.Late);

        _frozen.Add(new Span(Ms(1_500), Ms(1_560)));
        Finds();
    }

    [Fact]
    public void LateWriteIsFound()
    {
        ThroughGateway(1_000, 2_551);

        Finds(Rule.Late);
    }

    [Fact]
    public void WriteThatIsNotAnsweredIsFound()
    {
        ThroughGateway(1_000, 1_010, Outcome.Unsettled, status: 0);

        Finds(Rule.NoAnswer);
    }

    [Fact]
    public void MarkedAnswerIsFoundWithTracking()
    {
        _rules = Rules.For(Mode.Tracking, Ms(500), Ms(500), Ms(10_000));
        Sees(1, 1_000, 1_010, marked: true);

        Finds(Rule.Marked);
    }

    [Fact]
    public void AgeBeyondRecordExpiryIsFound()
    {
        Sees(1, 1_000, 1_010, age: 10);
        Finds();

        Sees(1, 1_000, 1_010, age: 11);
        Finds(Rule.AgeBeyondUtmost);
    }

    [Fact]
    public void RedisThatHoldsSomethingElseIsFound()
    {
        AtRedis(1_000, 1_010);
        Add(ReadOutcome.Value, 1, 1_011, 1_012, gateway: History.Redis, form: ReadForm.Direct);

        Finds(Rule.RedisDiffers);
    }

    [Fact]
    public void StalenessIsMeasuredFromTheOutsideWriteToTheLastReadOfTheOlderVersion()
    {
        AtRedis(1_000, 1_010);
        Sees(1, 1_050, 1_060);
        Sees(1, 1_110, 1_120);
        Sees(1, 1_200, 1_210, marked: true);
        Sees(2, 1_300, 1_310, gateway: 1);

        var staleness = Judge.Of(All(), _rules).Staleness;

        Assert.Equal([0, 0, 0, 100], staleness.Select(span => span.TotalMilliseconds).Order()); // two writes, two gateways
    }

    [Fact]
    public void ReplyThatHttpMightMarkMayBeAsOldAsOneThatIsMarked()
    {
        _unconfirmed.Add(new Span(Ms(900), Ms(11_100)));
        ThroughGateway(1_000, 1_010);
        Sees(1, 1_011, 1_012, form: ReadForm.Get);
        Sees(1, 11_009, 11_010, form: ReadForm.Get);
        Finds();

        Sees(1, 11_011, 11_012, form: ReadForm.Get);
        Finds(Rule.OlderThanUtmost);
    }

    [Fact]
    public void ReplyThatIsOlderIsFoundWhereHttpMarksNothing()
    {
        _unconfirmed.Add(new Span(Ms(0), Ms(900)));
        ThroughGateway(1_000, 1_010);
        Sees(1, 1_011, 1_012, form: ReadForm.MGet);
        Finds(Rule.OlderThanAcknowledged);

        _rules = Rules.For(Mode.Tracking, Ms(500), Ms(500), Ms(10_000));
        _unconfirmed.Add(new Span(Ms(900), Ms(1_100)));
        Finds(Rule.OlderThanAcknowledged);
    }

    [Fact]
    public void NilIsNeverUnconfirmed()
    {
        _unconfirmed.Add(new Span(Ms(900), Ms(2_100)));
        AtRedis(1_000, 1_010, deletes: true);
        ThroughGateway(1_100, 1_110);
        Add(ReadOutcome.Absent, 0, 1_200, 1_210, status: 404, form: ReadForm.Get);

        Finds(Rule.AbsentThoughThere);
    }

    [Fact]
    public void ReadThatMissesTheWriteInFrontOfItIsFound()
    {
        ThroughGateway(1_000, 1_010, form: WriteForm.Pipeline);
        Sees(1, 1_000, 1_010, form: ReadForm.BehindWrites);
        Sees(2, 1_000, 1_010, form: ReadForm.BehindWrites, behind: 2);
        Finds();

        Sees(1, 1_000, 1_010, form: ReadForm.BehindWrites, behind: 2);
        Finds(Rule.OlderThanAcknowledged);
    }

    [Fact]
    public void WhatIsPassedThroughMayBeLateOrLostOnlyWhileTheGatewaysWayToRedisIsFaulty()
    {
        _upstream.Add(new Span(Ms(900), Ms(3_000)));
        ThroughGateway(1_000, 3_500, form: WriteForm.Resp);
        ThroughGateway(2_000, 5_000, Outcome.Never, status: 0, form: WriteForm.Transaction);
        Add(ReadOutcome.NoAnswer, 0, 1_500, 1_510, status: 0, form: ReadForm.BehindWrites);
        Finds();

        Add(ReadOutcome.NoAnswer, 0, 1_500, 1_510, status: 0, form: ReadForm.Get);
        ThroughGateway(5_000, 6_600, form: WriteForm.Resp);
        ThroughGateway(7_000, 9_000, Outcome.Never, status: 0, form: WriteForm.Transaction);
        Finds(Rule.NoAnswer, Rule.Late, Rule.NoAnswer);
    }

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private void AtRedis(int start, int end, int timeToLive = 0, bool deletes = false) =>
        _writes.Add(new Write(Ms(start), Ms(end), Ms(end - start), 0, _writes.Count + 1, History.Redis, deletes, Ms(timeToLive), Outcome.Acknowledged, 0, WriteForm.AtRedis));

    private void ThroughGateway(int start, int end, Outcome outcome = Outcome.Acknowledged, bool deletes = false, short? status = null, WriteForm form = WriteForm.Http)
    {
        var took = outcome == Outcome.Acknowledged ? Ms(end - start) : Ms(10);
        status ??= (short)(outcome == Outcome.Acknowledged ? 204 : 504);
        _writes.Add(new Write(Ms(start), Ms(end), took, 0, _writes.Count + 1, 0, deletes, TimeSpan.Zero, outcome, status.Value, form));
    }

    private void Sees(int version, int start, int end, byte gateway = 0, bool marked = false, ushort age = 0, ReadForm form = ReadForm.Raw, int behind = 0) =>
        Add(ReadOutcome.Value, version, start, end, gateway, form: form, marked: marked, age: age, behind: behind);

    private void IsAbsent(int start, int end, byte gateway = 0) => Add(ReadOutcome.Absent, 0, start, end, gateway, status: 404);

    private void Add(
        ReadOutcome outcome, int version, int start, int end, byte gateway = 0, short status = 200, ReadForm form = ReadForm.Raw, bool marked = false, ushort age = 0,
        int behind = 0) =>
        _reads.Add(new Read(Ms(start), Ms(end - start), version, 0, status, gateway, outcome, CacheWord.None, form, marked, age, behind));

    private History All() => new([[.. _writes]], _reads, _disturbed, _stoodIn, _unconfirmed, _upstream, _frozen);

    private void Finds(params Rule[] rules) => Assert.Equal(rules, Judge.Of(All(), _rules).Violations.Select(violation => violation.Rule));
}
