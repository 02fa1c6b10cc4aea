using Microsoft.Extensions.Time.Testing;
using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Tests.Near;

/// <summary>What a node owes to the gateways that hold copies, rule by rule.</summary>
public sealed class LeasesTests
{
    private static readonly byte[] _key = [.. "key"u8];
    private static readonly byte[] _other = [.. "other"u8];

    private readonly FakeTimeProvider _time = new();
    private readonly CoherenceOptions _options = new();
    private readonly Session _session;
    private readonly Leases _leases;
    private readonly Guid _gateway = Guid.NewGuid();
    private bool _redisFails;
    private readonly Dictionary<long, Guid> _gateways = []; // by session

    public LeasesTests()
    {
        _session = new Session(_time);
        _leases = new Leases(_options, _session, _time, () => _redisFails);
    }

    [Fact]
    public async Task AWriteWaitsUntilEveryHolderHasLetGo()
    {
        var (first, second) = (await JoinAsync(_gateway), await JoinAsync(Guid.NewGuid()));
        Grant(first, _key);
        Grant(second, _key);

        _leases.TakeBack(_key);
        var written = _leases.ReleasedAsync(_key);
        await AcknowledgeAsync(first);
        Assert.False(written.IsCompleted);
        await AcknowledgeAsync(second);

        await written;
    }

    [Fact]
    public async Task ATakeBackOfBeforeIsWaitedForToo()
    {
        var holder = await JoinAsync(_gateway);
        Grant(holder, _key);
        _leases.TakeBack(_key); // evicted, say: then the key is written, and nobody holds it any more as far as the node knows

        var written = _leases.ReleasedAsync(_key);
        Assert.False(written.IsCompleted);
        await AcknowledgeAsync(holder);

        await written;
    }

    [Fact]
    public async Task ChosenKeysAreTakenBackAtOnceAndNoOthers()
    {
        var holder = await JoinAsync(_gateway);
        Grant(holder, _key);
        Grant(holder, _other);

        _leases.TakeBackWhere(key => key.SequenceEqual(_key));

        Assert.Equal(1, _leases.Copies);
        Assert.False(_leases.ReleasedAsync(_key).IsCompleted);
        Assert.True(_leases.ReleasedAsync(_other).AsTask().IsCompleted);
    }

    [Fact]
    public async Task CopiesOfOtherKeysAreNotWaitedFor()
    {
        var holder = await JoinAsync(_gateway);
        Grant(holder, _other);
        _leases.TakeBack(_other);

        Assert.True(_leases.ReleasedAsync(_key).IsCompleted);
        Assert.False(_leases.ReleasedAsync(null).IsCompleted);
    }

    [Fact]
    public async Task AHolderThatDoesNotAnswerIsWaitedForUntilItsLeaseHasLapsed()
    {
        var holder = await JoinAsync(_gateway);
        Grant(holder, _key);
        _leases.TakeBack(_key);
        var written = _leases.ReleasedAsync(_key).AsTask();

        _time.Advance(_options.Bound);
        Assert.False(written.IsCompleted); // its clock may be slower than this one

        _time.Advance(_options.Bound * 0.02);
        await written.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task WhatIsAcknowledgedInAnotherSessionCountsForNothing()
    {
        var before = await JoinAsync(_gateway);
        _session.Open(() => true);
        Confirm();
        var holder = await RenewAsync(before);
        Assert.NotEqual(before.Session, holder.Session);
        Grant(holder, _key);
        _leases.TakeBack(_key);
        var written = _leases.ReleasedAsync(_key);

        await RenewAsync(before with { Sequence = long.MaxValue });
        Assert.False(written.IsCompleted);

        await AcknowledgeAsync(holder);
        await written;
    }

    [Fact]
    public async Task ANewSessionWithRedisVoidsAllCopiesAndLetsNoWriteGo()
    {
        var holder = await JoinAsync(_gateway);
        Grant(holder, _key);
        _leases.TakeBack(_key);
        var written = _leases.ReleasedAsync(_key);

        _session.Break();
        _session.Open(() => true);
        Confirm();
        Assert.False(written.IsCompleted);
        var renewed = await RenewAsync(holder with { Sequence = 0 });
        Assert.NotEqual(holder.Session, renewed.Session);
        Assert.False(written.IsCompleted);

        Acknowledge(renewed);
        await written;
    }

    [Fact]
    public async Task NoLeaseOutlastsTheNodesOwnSession()
    {
        _session.Open(() => true);
        Confirm();
        _time.Advance(_options.Bound * 0.6);
        var holder = await JoinAsync(_gateway);
        Assert.Equal(_options.Bound.TotalMilliseconds * 0.4, holder.ValidMilliseconds);

        _time.Advance(_options.Bound * 0.4); // silent
        var poll = _leases.RenewAsync(Request(holder)).AsTask();
        _time.Advance(_options.Bound / 5);
        Assert.Equal(0, (await poll).ValidMilliseconds);

        _session.Break();
        poll = _leases.RenewAsync(Request(holder)).AsTask();
        _time.Advance(_options.Bound / 5);
        Assert.Equal(0, (await poll).ValidMilliseconds);
    }

    [Theory]
    [InlineData(CoherenceMode.Auto, true)]
    [InlineData(CoherenceMode.Auto, false)]
    [InlineData(CoherenceMode.Tracking, true)]
    public async Task WhatIsUnconfirmedIsLentWhileRedisFailsAndOnlyWhereThatIsServed(CoherenceMode mode, bool broken)
    {
        _options.Mode = mode;
        _session.Open(() => true);
        Confirm();
        var holder = await JoinAsync(_gateway);
        Assert.Equal(0, holder.UnconfirmedMilliseconds);

        _time.Advance(_options.Bound);
        if (broken)
        {
            _session.Break();
        }

        _redisFails = true;
        var lent = await NextAsync(holder, _options.Bound / (mode == CoherenceMode.Auto ? 20 : 5));
        Assert.Equal((0, mode == CoherenceMode.Auto ? 500 : 0), (lent.ValidMilliseconds, lent.UnconfirmedMilliseconds));

        _redisFails = false;
        Assert.Equal(0, (await NextAsync(lent, _options.Bound / 5)).UnconfirmedMilliseconds);
    }

    [Fact]
    public async Task WhatWasCopiedInAnEarlierSessionIsNotLent()
    {
        _session.Open(() => true);
        Confirm();
        var holder = await JoinAsync(_gateway);
        var poll = _leases.RenewAsync(Request(holder)).AsTask();

        _session.Open(() => true); // and the gateway does not know yet
        _redisFails = true;
        _time.Advance(_options.Bound / 5);

        Assert.Equal((holder.Session, 0), ((await poll).Session, (await poll).UnconfirmedMilliseconds));
    }

    [Fact]
    public async Task ANodeThatDoesNotKnowWhoHoldsCopiesWaitsForTheBound()
    {
        _leases.ExpectUnknown();
        var written = _leases.ReleasedAsync(_key).AsTask();

        _time.Advance(_options.Bound);
        Assert.False(written.IsCompleted);
        _time.Advance(_options.Bound * 0.02);

        await written.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.True(_leases.ReleasedAsync(_key).IsCompleted);
    }

    [Fact]
    public async Task AGatewayThatEndsItsLeaseIsNotWaitedFor()
    {
        var holder = await JoinAsync(_gateway);
        Grant(holder, _key);
        _leases.TakeBack(_key);
        var written = _leases.ReleasedAsync(_key);

        await EndAsync(holder);
        await written;

        var back = await JoinAsync(_gateway);
        await EndAsync(holder); // said before, and come late
        Grant(back, _key);
        _leases.TakeBack(_key);
        Assert.False(_leases.ReleasedAsync(_key).IsCompleted);

        async Task EndAsync(LeaseAnswer last) => await _leases.RenewAsync(Request(last) with { Ends = true });
    }

    [Fact]
    public async Task APollIsAnsweredWhenThereIsSomethingToTakeBack()
    {
        var holder = await JoinAsync(_gateway);
        Grant(holder, _key);
        var poll = _leases.RenewAsync(Request(holder)).AsTask();
        Assert.False(poll.IsCompleted);

        _leases.TakeBack(_key);

        var answer = await poll.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal([_key], answer.TakenBack.ToList());
        Assert.Equal([_key], (await RenewAsync(holder)).TakenBack.ToList()); // said again until it is acknowledged
        Acknowledge(answer);
        poll = _leases.RenewAsync(Request(answer)).AsTask();
        _time.Advance(_options.Bound / 5);
        Assert.Empty((await poll).TakenBack.ToList());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhatIsTooMuchToNameIsAllTakenBack(bool flushed)
    {
        var holder = await JoinAsync(_gateway);
        foreach (var i in Enumerable.Range(0, 5_000))
        {
            Grant(holder, BitConverter.GetBytes(i));
        }

        if (flushed)
        {
            _leases.TakeAllBack();
        }
        else
        {
            Enumerable.Range(0, 5_000).ToList().ForEach(i => _leases.TakeBack(BitConverter.GetBytes(i)));
        }

        var written = _leases.ReleasedAsync(BitConverter.GetBytes(0));
        Assert.False(written.IsCompleted);
        var answer = await RenewAsync(holder);
        Assert.True(answer.All);
        Acknowledge(answer);
        await written;
    }

    private void Confirm() => _session.Confirm(_session.Number, _time.GetTimestamp(), _options.Bound);

    private void Grant(LeaseAnswer lease, byte[] key) => _leases.Grant(_leases.Find(lease.Session), key);

    /// <summary>A gateway comes, and is given a session.</summary>
    private async Task<LeaseAnswer> JoinAsync(Guid gateway)
    {
        _gateways[0] = gateway;
        return await RenewAsync(new LeaseAnswer(0, 0, KeyBatch.Of(), false, 0, default));
    }

    /// <summary>It asks again, having carried out what it was told of.</summary>
    private async Task<LeaseAnswer> RenewAsync(LeaseAnswer last)
    {
        var answer = await _leases.RenewAsync(Request(last)).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
        _gateways[answer.Session] = _gateways[last.Session];
        return answer;
    }

    /// <summary>It asks again, and is answered after some time.</summary>
    private async Task<LeaseAnswer> NextAsync(LeaseAnswer last, TimeSpan after)
    {
        var poll = RenewAsync(last);
        _time.Advance(after);
        return await poll;
    }

    /// <summary>It is told of something, carries it out, and says so.</summary>
    private async Task AcknowledgeAsync(LeaseAnswer last) => Acknowledge(await RenewAsync(last));

    /// <summary>It has carried out what it was told of, and says so.</summary>
    private void Acknowledge(LeaseAnswer told) => _ = _leases.RenewAsync(Request(told));

    private LeaseRequest Request(LeaseAnswer last) => new(_gateways[last.Session], last.Session, last.Sequence, KeyBatch.Of());
}
