using System.Runtime.CompilerServices;
using Orleans.Runtime;
using Orleans.Runtime.Messaging;
using RpOrleans.Gateway.Near;
using RpOrleans.Grains;
using RpOrleans.Grains.Lru;

namespace RpOrleans.Gateway.Routing;

/// <summary>What a gateway knows of a node, and its way there. Calls fail at once when the node is found to be gone.</summary>
internal sealed class NodeLink
{
    /// <summary>A look-up in memory takes far less than a millisecond; what takes this long is stuck.</summary>
    private static readonly TimeSpan _peekAtMost = TimeSpan.FromMilliseconds(400);

    /// <summary>Where a node must wait for others that takes <c>COHERENCE_BOUND</c>, and this at most beside it.</summary>
    private static readonly TimeSpan _settleBesides = TimeSpan.FromSeconds(0.5);

    private readonly TimeProvider _time;
    private readonly PeekBatcher _peeks;
    private readonly ReadMerger _reads;
    private readonly WrittenBatcher _writes;
    private readonly HeldEntries? _held;
    private readonly Lock _changing = new(); // a ping and a lease may be answered at once
    private volatile Attachment? _attachment;
    private long _answeredAt;

    /// <param name="name">The node's name, by which it is hashed.</param>
    /// <param name="hash">Its hash.</param>
    /// <param name="time">The clock.</param>
    /// <param name="held">What the node holds, where it is in this process.</param>
    /// <param name="lease">The lease on copies of what it holds, where there are any.</param>
    /// <param name="bound"><c>COHERENCE_BOUND</c>: for so long it may wait for others.</param>
    public NodeLink(string name, ulong hash, TimeProvider time, HeldEntries? held = null, NodeLease? lease = null, TimeSpan bound = default)
    {
        Name = name;
        Hash = hash;
        _time = time;
        _held = held;
        Lease = lease;
        // Keys that waited for a call that hung must not go to the same node once it is suspected: they have the next one.
        _peeks = new PeekBatcher(keys => Usable
            ? Lease is null ? CallPeekAsync(keys) : Lease.PeekAsync(keys, CallPeekAsync)
            : Task.FromException<LookupBatch>(new NodeUnavailableException(NodeFault.NotReceived, null)));
        _reads = new ReadMerger(CallReadAsync);
        _writes = new WrittenBatcher(written => CallAsync(
            static async (grain, written) =>
            {
                await grain.WrittenAsync(written).ConfigureAwait(false);
                return true;
            },
            written,
            bound + _settleBesides), time);
    }

    public string Name { get; }

    public ulong Hash { get; }

    /// <summary>What the node said last; <see langword="null"/> while it does not answer.</summary>
    public NodeState? State => _attachment?.State;

    /// <summary>Whether the node answers and is not about to leave.</summary>
    public bool Usable => _attachment is { Suspected: false, State.Draining: false };

    /// <summary>Whether there is a connection at all; better than nothing, where nothing is usable.</summary>
    public bool Connected => _attachment is not null;

    /// <summary>Since when the node has answered none of the calls that were made here; pings are not among them.</summary>
    public TimeSpan Silence => _time.GetElapsedTime(Volatile.Read(ref _answeredAt));

    /// <summary>How long ago the node last said something of itself; without end while it does not answer.</summary>
    public TimeSpan SinceHeard => _attachment is { Suspected: false } attachment ? _time.GetElapsedTime(attachment.HeardAt) : TimeSpan.MaxValue;

    /// <summary>The node answers: it can be called from now on.</summary>
    /// <param name="grain">Its cache.</param>
    /// <param name="state">What it said.</param>
    /// <param name="heard">When, as a timestamp.</param>
    public void Heard(ICacheGrain grain, NodeState state, long heard)
    {
        lock (_changing)
        {
            var known = _attachment is { } attachment && ReferenceEquals(attachment.Grain, grain) ? attachment : null;
            if (known is { Suspected: false })
            {
                known.Update(state, heard);
            }
            else
            {
                _attachment = new Attachment(grain, state, heard, known?.Closed ?? new());
            }
        }
    }

    /// <summary>
    /// The node seems to hang: reads in flight fail now, and others are asked in its place until it is heard of again. Writes are
    /// left to their deadlines: no other may be asked to carry them out, and a node that goes on says what became of them.
    /// </summary>
    public void Suspect()
    {
        Attachment? suspected = null;
        lock (_changing)
        {
            if (_attachment is { Suspected: false } attachment)
            {
                suspected = attachment;
                _attachment = new Attachment(attachment.Grain, attachment.State, attachment.HeardAt, attachment.Closed) { Suspected = true };
            }
        }

        suspected?.Gone.Cancel(); // past the lock: whoever waits goes on at once
    }

    /// <summary>The connection is gone: calls in flight fail now, and none is made until there is another.</summary>
    public void Lost()
    {
        Attachment? lost;
        lock (_changing)
        {
            (lost, _attachment) = (_attachment, null);
        }

        lost?.Gone.Cancel();
        lost?.Closed.Cancel();
    }

    /// <summary>What the node holds, where it is in this process; <see langword="null"/> elsewhere.</summary>
    public HeldEntries? Held => _held;

    /// <summary>The lease on copies of what the node holds; <see langword="null"/> where there are none.</summary>
    public NodeLease? Lease { get; }

    /// <summary>Looks a key up in this process: in the node's memory, where that is here, or among the copies of what it holds.</summary>
    public bool TryHit(ReadOnlySpan<byte> key, out Lookup hit)
    {
        if (_held is not null)
        {
            return _held.TryHit(key, out hit);
        }

        hit = default;
        return Lease?.TryHit(key, out hit) == true;
    }

    /// <summary>Looks a key up in the node's memory, or among the copies of what it holds.</summary>
    /// <exception cref="NodeUnavailableException">The node gave no answer.</exception>
    public ValueTask<Lookup> PeekAsync(byte[] key) => TryHit(key, out var hit) || _held is not null ? new(hit) : PeekOneAsync(key);

    /// <summary>Looks keys up in the memory of a node that is not in this process.</summary>
    /// <exception cref="NodeUnavailableException">The node gave no answer.</exception>
    public ValueTask<PeekAnswers> PeekAsync(KeyBatch keys) => _peeks.PeekAsync(keys);

    /// <summary>Has the node read a key.</summary>
    /// <exception cref="NodeUnavailableException">The node gave no answer.</exception>
    public Task<Lookup> ReadAsync(ReadRequest request, TimeSpan atMost) =>
        request is { Mode: ReadMode.Normal, Copies: null } ? _reads.ReadAsync(request, atMost) : CallReadAsync(request, atMost);

    /// <summary>Has the node write a key.</summary>
    /// <param name="request">The change; its deadline is filled in here.</param>
    /// <param name="atMost">How long it may take until it is sent to Redis.</param>
    /// <param name="settling">How much longer its acknowledgement may take, for others to let go of their copies.</param>
    /// <exception cref="NodeUnavailableException">The node gave no answer; it may have received the write, unless the exception says that it certainly did not.</exception>
    public Task<WriteOutcome> WriteAsync(WriteRequest request, TimeSpan atMost, TimeSpan settling) =>
        CallAsync(static (grain, request) => grain.WriteAsync(request), request with { DeadlineMilliseconds = NodeClockIn(atMost) }, atMost + settling, outlastsSuspicion: true);

    /// <summary>Tells the node of keys that were written past it, and waits until no node answers with what was there before.</summary>
    /// <exception cref="NodeUnavailableException">The node gave no answer.</exception>
    public Task WrittenAsync(WrittenKeys written)
    {
        if (_held is null)
        {
            return _writes.SettleAsync(written);
        }

        _held.Drop(written.Keys);
        return Task.CompletedTask;
    }

    /// <summary>What the node holds of a key, and what that is worth.</summary>
    /// <exception cref="NodeUnavailableException">The node gave no answer.</exception>
    public Task<Explanation> ExplainAsync(byte[] key) =>
        CallAsync(static (grain, key) => grain.ExplainAsync(key), key, _peekAtMost);

    /// <summary>The node's figures.</summary>
    /// <exception cref="NodeUnavailableException">The node gave no answer.</exception>
    public Task<NodeStats> StatsAsync(TimeSpan atMost) =>
        CallAsync(static (grain, _) => grain.StatsAsync(), 0, atMost);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Lookup> PeekOneAsync(byte[] key)
    {
        var answers = await _peeks.PeekAsync(new KeyBatch(1, KeyBatch.Pack(key, Lease?.Wants(key) == true))).ConfigureAwait(false);
        var answer = answers.Next(out var value);
        return answer with { Value = value };
    }

    private Task<LookupBatch> CallPeekAsync(KeyBatch keys) => CallAsync(static (grain, keys) => grain.PeekAsync(keys), keys, _peekAtMost);

    private async Task<Lookup> CallReadAsync(ReadRequest request, TimeSpan atMost)
    {
        var answer = await CallAsync(static (grain, request) => grain.ReadAsync(request), request, atMost).ConfigureAwait(false);
        Lease?.Note(request.Key, answer);
        return answer;
    }

    private async Task<TAnswer> CallAsync<TRequest, TAnswer>(Func<ICacheGrain, TRequest, ValueTask<TAnswer>> call, TRequest request, TimeSpan atMost, bool outlastsSuspicion = false)
    {
        if (_attachment is not { } attachment)
        {
            throw new NodeUnavailableException(NodeFault.NotReceived, null);
        }

        try
        {
            var answer = call(attachment.Grain, request);
            var result = answer.IsCompletedSuccessfully
                ? answer.Result
                : await answer.AsTask().WaitAsync(atMost, _time, (outlastsSuspicion ? attachment.Closed : attachment.Gone).Token).ConfigureAwait(false);
            Volatile.Write(ref _answeredAt, _time.GetTimestamp());
            return result;
        }
        catch (TimeoutException late)
        {
            throw new NodeUnavailableException(NodeFault.TimedOut, late);
        }
        catch (Exception failure) when (failure is ConnectionFailedException or OrleansMessageRejectionException or GatewayTooBusyException)
        {
            // No connection could be made, or the silo's runtime turned the call away: the grain has not seen it.
            throw new NodeUnavailableException(NodeFault.NotReceived, failure);
        }
        catch (Exception failure) when (failure is OperationCanceledException or OrleansException or InvalidOperationException or ObjectDisposedException)
        {
            throw new NodeUnavailableException(NodeFault.Lost, failure);
        }
    }

    /// <summary>What the node's clock will show in so long, at the earliest: reckoned from when its last answer arrived, not from when it was given.</summary>
    private long NodeClockIn(TimeSpan span) =>
        _attachment is { } attachment
            ? attachment.State.ClockMilliseconds + (long)(_time.GetElapsedTime(attachment.HeardAt) + span).TotalMilliseconds
            : 0;

    private sealed class Attachment(ICacheGrain grain, NodeState state, long heard, CancellationTokenSource closed)
    {
        private Tuple<NodeState, long> _last = new(state, heard); // one reference, so that both are of one answer

        public ICacheGrain Grain => grain;

        /// <summary>Cancelled when the node is suspected, or its connection is lost.</summary>
        public CancellationTokenSource Gone { get; } = new();

        /// <summary>Cancelled when the connection is lost; that of a node that was suspected and is heard of again stays the same.</summary>
        public CancellationTokenSource Closed => closed;

        public bool Suspected { get; init; }

        public NodeState State => _last.Item1;

        public long HeardAt => _last.Item2;

        public void Update(NodeState state, long heard) => Volatile.Write(ref _last, new(state, heard));
    }
}
