using System.Text;
using Orleans.Runtime.Messaging;
using RpOrleans.Gateway.Near;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Placement;
using RpOrleans.Grains.Settings;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Routing;

public sealed class RouterTests
{
    private static readonly byte[] _key = "user:7"u8.ToArray();
    private static readonly ReadTerms _normal = new(ReadMode.Normal);
    private static readonly TaskCompletionSource _never = new();

    private readonly SteppedTime _time = new();
    private readonly CoherenceOptions _coherence = new();
    private readonly Nodes _nodes = new();
    private readonly FakeNode[] _ranked;
    private readonly Dictionary<FakeNode, NodeLink> _links = [];
    private readonly Router _router;

    public RouterTests()
    {
        foreach (var node in Enumerable.Range(1, 3).Select(i => new FakeNode($"10.0.0.{i}:11111")))
        {
            var link = new NodeLink(node.Name, RendezvousHash.HashNode(node.Name), _time, bound: _coherence.Bound);
            link.Heard(node, default, _time.GetTimestamp());
            _links[node] = link;
        }

        _nodes.Update(new NodeRing(_links.Values), []);
        _ranked = [.. _nodes.Ring.Ranked(_key).Select(link => _links.Single(pair => pair.Value == link).Key)];
        _router = new Router(_nodes, _coherence, _time);
    }

    [Fact]
    public async Task AHeldKeyIsAnsweredByItsOwnerInOneCall()
    {
        _ranked[0].Held["user:7"] = "Ada";

        var (lookup, fault) = await _router.ReadAsync(_key, _normal);

        Assert.Equal((RouteFault.None, "Ada"), (fault, Encoding.UTF8.GetString(lookup.Value.Span)));
        Assert.Empty(_ranked[0].Reads);
        Assert.All(_ranked[1..], other => Assert.Empty(other.Batches));
    }

    [Fact]
    public async Task SettlingThatNoNodeAnswersEndsInTimeButNotBeforeTheBound()
    {
        Array.ForEach(_ranked, node => node.Before = () => _never.Task);

        var settling = _router.SettleAsync([_key]);

        _time.Advance(_coherence.Bound);
        Assert.False(settling.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(950));
        await settling.WaitAsync(TimeSpan.FromSeconds(10)); // of real time, for it to be carried out
    }

    [Fact]
    public async Task AMissIsReadByTheOwner()
    {
        var (lookup, _) = await _router.ReadAsync(_key, _normal);

        Assert.Equal($"from {_ranked[0].Name}", Encoding.UTF8.GetString(lookup.Value.Span));
        Assert.Equal(ReadMode.Normal, Assert.Single(_ranked[0].Reads).Mode);
    }

    [Fact]
    public async Task WhenTheOwnerIsLostTheNextInTheRingReadsAndKeepsNothing()
    {
        _links[_ranked[0]].Lost();

        var (lookup, _) = await _router.ReadAsync(_key, _normal);

        Assert.Equal($"from {_ranked[1].Name}", Encoding.UTF8.GetString(lookup.Value.Span));
        Assert.Equal(ReadMode.Bypass, Assert.Single(_ranked[1].Reads).Mode);
        Assert.Empty(_ranked[1].Batches); // a copy there would not have heard of the owner's writes
    }

    [Fact]
    public async Task WhenEveryNodeLooksHungThoseThatAreConnectedAreAskedAllTheSame()
    {
        foreach (var link in _links.Values)
        {
            link.Suspect();
        }

        Assert.Equal(RouteFault.None, (await _router.ReadAsync(_key, _normal)).Fault);
        Assert.Equal(RouteFault.None, (await _router.WriteAsync(new WriteRequest { Key = _key })).Fault);
        Assert.Single(_ranked[0].Writes);
    }

    [Fact]
    public async Task ANodeThatIsSuspectedIsNotAskedWhileAnotherIsUsable()
    {
        _links[_ranked[0]].Suspect();

        await _router.ReadAsync(_key, _normal);

        Assert.Empty(_ranked[0].Batches);
        Assert.Single(_ranked[1].Reads);
    }

    [Fact]
    public async Task AReadInFlightGoesOnToTheNextTheMomentItsNodeIsLost()
    {
        _ranked[0].Before = () => _never.Task;
        var read = _router.ReadAsync(_key, _normal).AsTask();
        await UntilAsync(() => !_ranked[0].Batches.IsEmpty);
        Assert.False(read.IsCompleted);

        _links[_ranked[0]].Lost(); // no time passes

        Assert.Equal($"from {_ranked[1].Name}", Encoding.UTF8.GetString((await read).Answer.Value.Span));
    }

    [Fact]
    public async Task ANodeThatIsAboutToLeaveIsNotAsked()
    {
        _ranked[0].Draining = true;
        _links[_ranked[0]].Heard(_ranked[0], new NodeState { Draining = true }, _time.GetTimestamp());

        await _router.ReadAsync(_key, _normal);
        await _router.WriteAsync(new WriteRequest { Key = _key });

        Assert.Empty(_ranked[0].Batches);
        Assert.Empty(_ranked[0].Reads);
        Assert.Empty(_ranked[0].Writes);
        Assert.Single(_ranked[1].Writes);
    }

    [Fact]
    public async Task WithoutAnyNodeReadsAndWritesFailAtOnce()
    {
        foreach (var link in _links.Values)
        {
            link.Lost();
        }

        Assert.Equal(RouteFault.NoNode, (await _router.ReadAsync(_key, _normal)).Fault);
        Assert.Equal(RouteFault.NoNode, (await _router.WriteAsync(new WriteRequest { Key = _key })).Fault);
    }

    [Fact]
    public async Task WhenNobodyAnswersAReadIsGivenUpBefore1050Milliseconds()
    {
        foreach (var node in _ranked)
        {
            node.Before = () => _never.Task;
        }

        var started = _time.GetTimestamp();
        var read = _router.ReadAsync(_key, _normal).AsTask();
        await _time.RunUntilAsync(() => read.IsCompleted);

        Assert.Equal(RouteFault.TimedOut, (await read).Fault);
        Assert.InRange(_time.GetElapsedTime(started).TotalMilliseconds, 900, 1_050);
    }

    [Fact]
    public async Task AWriteThatWasCertainlyNotReceivedGoesToTheNext()
    {
        _ranked[0].Before = () => throw new ConnectionFailedException("refused");

        var (outcome, fault) = await _router.WriteAsync(new WriteRequest { Key = _key });

        Assert.Equal((WriteStatus.Done, RouteFault.None), (outcome.Status, fault));
        Assert.Single(_ranked[1].Writes);
    }

    [Fact]
    public async Task AWriteThatMayHaveBeenReceivedIsNeverTriedAgain()
    {
        _ranked[0].Before = () => _never.Task;
        var write = _router.WriteAsync(new WriteRequest { Key = _key });
        await UntilAsync(() => !_ranked[0].Writes.IsEmpty);

        _links[_ranked[0]].Lost();

        Assert.Equal(RouteFault.OutcomeUnknown, (await write).Fault);
        Assert.All(_ranked[1..], other => Assert.Empty(other.Writes));
    }

    [Fact]
    public async Task AWriteOutlastsTheSuspicionThatItsNodeHangs()
    {
        var goesOn = new TaskCompletionSource();
        _ranked[0].Before = () => goesOn.Task;
        var write = _router.WriteAsync(new WriteRequest { Key = _key });
        await UntilAsync(() => !_ranked[0].Writes.IsEmpty);

        _links[_ranked[0]].Suspect();
        goesOn.SetResult();

        Assert.Equal((WriteStatus.Done, RouteFault.None), ((await write).Answer.Status, (await write).Fault));
        Assert.All(_ranked[1..], other => Assert.Empty(other.Writes));
    }

    [Fact]
    public async Task AWriteToASuspectedNodeEndsWithItsConnection()
    {
        _ranked[0].Before = () => _never.Task;
        var write = _router.WriteAsync(new WriteRequest { Key = _key });
        await UntilAsync(() => !_ranked[0].Writes.IsEmpty);

        var link = _links[_ranked[0]];
        link.Suspect();
        link.Heard(_ranked[0], new NodeState(), _time.GetTimestamp());
        link.Lost();

        Assert.Equal(RouteFault.OutcomeUnknown, (await write.WaitAsync(TimeSpan.FromSeconds(10))).Fault);
    }

    [Fact]
    public async Task AWriteCarriesADeadlineOfTheNodesOwnClock()
    {
        _links[_ranked[0]].Heard(_ranked[0], new NodeState { ClockMilliseconds = 5_000 }, _time.GetTimestamp());
        _time.Advance(TimeSpan.FromMilliseconds(250));

        await _router.WriteAsync(new WriteRequest { Key = _key });

        Assert.Equal(5_250 + 600, Assert.Single(_ranked[0].Writes).DeadlineMilliseconds);
    }

    [Fact]
    public async Task ALookUpThatTakesTooLongAtANodeThatIsNotSuspectedIsReadThereAllTheSame()
    {
        _ranked[0].Before = () => _ranked[0].Reads.IsEmpty ? _never.Task : Task.CompletedTask;
        var read = _router.ReadAsync(_key, _normal).AsTask();
        await _time.RunUntilAsync(() => read.IsCompleted);

        Assert.Equal($"from {_ranked[0].Name}", Encoding.UTF8.GetString((await read).Answer.Value.Span));
        Assert.All(_ranked[1..], other => Assert.Empty(other.Reads));
    }

    [Fact]
    public async Task AMissOfANodeThatCannotReachRedisIsReadByOneThatCan()
    {
        SayFault(_ranked[0], OriginFault.Unreachable);
        _ranked[0].Unconfirmed = "older";

        var (lookup, _) = await _router.ReadAsync(_key, _normal);

        Assert.Equal($"from {_ranked[1].Name}", Encoding.UTF8.GetString(lookup.Value.Span));
        Assert.Equal(ReadMode.Bypass, Assert.Single(_ranked[1].Reads).Mode);
        Assert.Empty(_ranked[0].Reads);
    }

    [Fact]
    public async Task ANodeWhoseWayToRedisBreaksDuringTheReadIsHelpedOutByAnother()
    {
        _ranked[0].Fault = OriginFault.TimedOut; // has not said so yet
        _ranked[0].Unconfirmed = "older";

        var (lookup, _) = await _router.ReadAsync(_key, _normal);

        Assert.Equal($"from {_ranked[1].Name}", Encoding.UTF8.GetString(lookup.Value.Span));
    }

    [Fact]
    public async Task WhenNoNodeReachesRedisTheOwnersCopyIsServedForWhatItIs()
    {
        foreach (var node in _ranked)
        {
            SayFault(node, OriginFault.BreakerOpen);
        }

        _ranked[0].Unconfirmed = "older";

        var (lookup, _) = await _router.ReadAsync(_key, _normal);

        Assert.Equal((true, "older"), (lookup.Stale, Encoding.UTF8.GetString(lookup.Value.Span)));
        Assert.All(_ranked, node => Assert.Empty(node.Reads)); // nobody asks a Redis that is known to fail
    }

    [Fact]
    public async Task ARefusalIsTheAnswerWhereNoNodeReachesRedis()
    {
        foreach (var node in _ranked)
        {
            SayFault(node, OriginFault.BreakerOpen);
        }

        _ranked[0].Refuses = true;
        var freshOnly = new ReadTerms(ReadMode.Normal, new CopyTerms(MinimumFresh: TimeSpan.FromSeconds(1)));

        Assert.Equal(OriginFault.BreakerOpen, (await _router.ReadAsync(_key, _normal)).Answer.Fault);
        Assert.Equal(OriginFault.BreakerOpen, (await _router.ReadAsync(_key, freshOnly)).Answer.Fault);
        Assert.Equal(LookupStatus.Miss, (await _router.ReadAsync(_key, new ReadTerms(ReadMode.Normal, OnlyIfHeld: true))).Answer.Status);
        Assert.All(_ranked, node => Assert.Empty(node.Reads)); // one call, not two
    }

    [Fact]
    public async Task WhatOneNodeRefusesIsReadByOneThatReachesRedis()
    {
        SayFault(_ranked[0], OriginFault.BreakerOpen);
        _ranked[0].Refuses = true;

        Assert.Equal($"from {_ranked[1].Name}", Encoding.UTF8.GetString((await _router.ReadAsync(_key, _normal)).Answer.Value.Span));
    }

    [Fact]
    public async Task WhatIsStaleIsNoHitForAReaderWhoWantsOnlyWhatIsHeld()
    {
        SayFault(_ranked[0], OriginFault.BreakerOpen);
        _ranked[0].Unconfirmed = "older";

        Assert.Equal(LookupStatus.Miss, (await _router.ReadAsync(_key, new ReadTerms(ReadMode.Normal, OnlyIfHeld: true))).Answer.Status);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnUnconfirmedCopyAtTheGatewayIsTakenOnlyWhereNoNodeReachesRedis(bool anotherReachesRedis)
    {
        var near = new NearCache(1_000_000, _time);
        var lease = near.NewLease();
        near.Renew(lease, new LeaseAnswer(1, 0, KeyBatch.Of(), All: false, 0, Freshness.Unconfirmed, UnconfirmedMilliseconds: 500), _time.GetTimestamp());
        near.End(lease, near.Begin(lease), KeyBatch.Of(_key), LookupBatch.Of(
            new Lookup { Status = LookupStatus.Found, Source = LookupSource.Cache, Value = Encoding.UTF8.GetBytes("older"), Granted = true, FreshMilliseconds = 10_000 }));
        _links[_ranked[0]] = new NodeLink(_ranked[0].Name, RendezvousHash.HashNode(_ranked[0].Name), _time, lease: lease, bound: _coherence.Bound);
        _nodes.Update(new NodeRing(_links.Values), []);
        foreach (var node in _ranked[..(anotherReachesRedis ? 1 : 3)])
        {
            SayFault(node, OriginFault.BreakerOpen);
        }

        var alone = await _router.ReadAsync(_key, _normal);
        var batch = new ReadBatch(_router, _nodes);
        batch.Add(_key);
        await batch.ReadAsync();

        var expected = (anotherReachesRedis ? $"from {_ranked[1].Name}" : "older", !anotherReachesRedis);
        Assert.Equal(expected, (Encoding.UTF8.GetString(alone.Answer.Value.Span), alone.Answer.Stale));
        Assert.Equal(expected, (Encoding.UTF8.GetString(batch.Answers[0].Value.Span), batch.Answers[0].Routed.Answer.Stale));
        Assert.Empty(_ranked[0].Batches);
    }

    [Fact]
    public async Task AWriteThatWasNotSentToRedisGoesToANodeThatReachesIt()
    {
        _ranked[0].Fault = OriginFault.Unreachable;

        Assert.Equal(WriteStatus.Done, (await _router.WriteAsync(new WriteRequest { Key = _key })).Answer.Status);
        Assert.Single(_ranked[1].Writes);
    }

    [Fact]
    public async Task AWriteThatRedisMayHaveReceivedGoesNowhereElse()
    {
        _ranked[0].Fault = OriginFault.TimedOut;

        Assert.True((await _router.WriteAsync(new WriteRequest { Key = _key })).Answer.OutcomeUnknown);
        Assert.All(_ranked[1..], other => Assert.Empty(other.Writes));
    }

    [Fact]
    public async Task ACopyThatIsTooOldForTheReaderIsReadAgain()
    {
        _ranked[0].Held["user:7"] = "Ada";

        await _router.ReadAsync(_key, new ReadTerms(ReadMode.Normal, new CopyTerms(MaximumAge: TimeSpan.FromSeconds(-1))));

        Assert.Equal(ReadMode.Refresh, Assert.Single(_ranked[0].Reads).Mode);
    }

    [Fact]
    public async Task OnlyIfHeldNeverReads()
    {
        Assert.Equal(LookupStatus.Miss, (await _router.ReadAsync(_key, new ReadTerms(ReadMode.Normal, OnlyIfHeld: true))).Answer.Status);
        Assert.All(_ranked, node => Assert.Empty(node.Reads));
    }

    private void SayFault(FakeNode node, OriginFault fault)
    {
        node.Fault = fault;
        _links[node].Heard(node, new NodeState { OriginFault = fault }, _time.GetTimestamp());
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var deadline = DateTime.UtcNow.AddSeconds(10);
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, "It did not happen.");
            await Task.Yield();
        }
    }
}
