using System.Buffers;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Gateway.Resp.Upstream;

// While replies are awaited the commands of others gather, and go together when they have come, or are many; replies come in
// the order of the commands. So fifty clients that write cost a system call or two each way, not fifty. Only for commands
// that Redis answers at once: everybody waits for what is in front.

/// <summary>A connection to Redis for the short commands of all clients.</summary>
/// <param name="open">Opens a connection.</param>
/// <param name="usable">Whether one still leads where it should.</param>
internal sealed class SharedUpstream(Func<ValueTask<UpstreamConnection>> open, Func<UpstreamConnection, bool> usable) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _opening = new(1, 1);
    private Link? _link;

    /// <summary>Has commands carried out.</summary>
    /// <param name="commands">The commands; not to be changed before the replies are there.</param>
    /// <returns>Their replies.</returns>
    /// <exception cref="OriginException">Not all of them came.</exception>
    public Task<SharedReplies> PassAsync(IReadOnlyList<ReadOnlyMemory<byte>> commands) =>
        _link is { Lost: false } current && usable(current.Connection) && current.TrySend(commands, out var replies) ? replies : OpenAndPassAsync(commands);

    public void Dispose()
    {
        lock (_lock)
        {
            _link?.Connection.Dispose();
        }
    }

    private async Task<SharedReplies> OpenAndPassAsync(IReadOnlyList<ReadOnlyMemory<byte>> commands)
    {
        while (true)
        {
            var link = await OpenAsync().ConfigureAwait(false);
            if (link.TrySend(commands, out var replies))
            {
                return await replies.ConfigureAwait(false);
            }
        }
    }

    private async ValueTask<Link> OpenAsync()
    {
        await _opening.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_link is { Lost: false } current && usable(current.Connection))
            {
                return current; // somebody else did meanwhile
            }

            var old = _link;
            var link = new Link(await open().ConfigureAwait(false));
            lock (_lock)
            {
                _link = link;
            }

            old?.Connection.Dispose();
            return link;
        }
        finally
        {
            _opening.Release();
        }
    }

    /// <summary>One connection, until it is lost.</summary>
    private sealed class Link
    {
        /// <summary>So many bytes of commands do not wait for the replies to those before.</summary>
        private const int Many = 16 * 1024;

        private readonly Lock _lock = new();
        private readonly Queue<SharedReplies> _unanswered = new();
        private ArrayBufferWriter<byte> _gathering = new();
        private ArrayBufferWriter<byte> _sending = new();
        private int _awaited; // of the unanswered ones, those that have been sent
        private bool _sendingNow;

        public Link(UpstreamConnection connection)
        {
            Connection = connection;
            _ = ReceiveAllAsync();
        }

        public UpstreamConnection Connection { get; }

        /// <summary>Whether nothing can be sent any more.</summary>
        public bool Lost { get; private set; }

        public bool TrySend(IReadOnlyList<ReadOnlyMemory<byte>> commands, out Task<SharedReplies> replies)
        {
            var waiting = new SharedReplies(commands.Count);
            replies = waiting.Whole;
            lock (_lock)
            {
                if (Lost)
                {
                    return false;
                }

                _unanswered.Enqueue(waiting);
                foreach (var command in commands)
                {
                    _gathering.Write(command.Span);
                }

                if (!IsTime())
                {
                    return true;
                }

                _sendingNow = true;
            }

            _ = SendAllAsync();
            return true;
        }

        private bool IsTime() => !_sendingNow && _gathering.WrittenCount > 0 && (_awaited == 0 || _gathering.WrittenCount >= Many) && !Lost;

        private async Task SendAllAsync()
        {
            try
            {
                while (Gathered())
                {
                    await Connection.SendAsync(_sending.WrittenMemory).ConfigureAwait(false);
                }
            }
            catch (OriginException failure)
            {
                Fail(failure);
            }
        }

        private bool Gathered()
        {
            lock (_lock)
            {
                _sendingNow = false;
                if (!IsTime())
                {
                    return false;
                }

                (_gathering, _sending) = (_sending, _gathering);
                _gathering.ResetWrittenCount();
                _awaited = _unanswered.Count;
                return _sendingNow = true;
            }
        }

        private async Task ReceiveAllAsync()
        {
            try
            {
                while (true)
                {
                    await Connection.NextReplyAsync().ConfigureAwait(false);
                    SharedReplies? next;
                    lock (_lock)
                    {
                        if (!_unanswered.TryPeek(out next))
                        {
                            throw new OriginException(OriginFault.Protocol); // nobody has asked for this
                        }
                    }

                    var whole = await next.ReceiveAsync(Connection).ConfigureAwait(false);
                    if (whole)
                    {
                        bool send;
                        lock (_lock)
                        {
                            _awaited -= _unanswered.TryDequeue(out _) ? 1 : 0; // sending may have failed meanwhile, and then they all have
                            send = IsTime();
                            _sendingNow |= send;
                        }

                        if (send)
                        {
                            _ = SendAllAsync();
                        }

                        next.Complete();
                    }
                }
            }
            catch (OriginException failure)
            {
                Fail(failure);
            }
        }

        private void Fail(OriginException failure)
        {
            SharedReplies[] waiting;
            lock (_lock)
            {
                Lost = true;
                waiting = [.. _unanswered];
                _unanswered.Clear();
            }

            Connection.Dispose();
            Array.ForEach(waiting, replies => replies.Fail(new OriginException(failure.Fault, outcomeUnknown: true, failure)));
        }
    }
}

/// <summary>Replies to the commands of one client.</summary>
/// <param name="count">How many there will be.</param>
internal sealed class SharedReplies(int count)
{
    private readonly TaskCompletionSource<SharedReplies> _whole = new();
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly List<(int From, byte Type)> _replies = new(count);

    /// <summary>Itself, once all have come.</summary>
    public Task<SharedReplies> Whole => _whole.Task;

    /// <summary>The kind of a reply: its first byte.</summary>
    public byte TypeOf(int reply) => _replies[reply].Type;

    /// <summary>A reply.</summary>
    public ReadOnlySpan<byte> this[int reply] =>
        _bytes.WrittenSpan[_replies[reply].From..(reply + 1 < _replies.Count ? _replies[reply + 1].From : _bytes.WrittenCount)];

    /// <summary>Takes the next reply.</summary>
    /// <returns>Whether that was the last.</returns>
    public async ValueTask<bool> ReceiveAsync(UpstreamConnection connection)
    {
        _replies.Add((_bytes.WrittenCount, connection.ReplyType));
        await connection.MoveReplyAsync(_bytes, static () => ValueTask.CompletedTask).ConfigureAwait(false);
        return _replies.Count == count;
    }

    /// <summary>All have come.</summary>
    public void Complete() => _whole.TrySetResult(this);

    /// <summary>The rest will not come.</summary>
    public void Fail(OriginException failure) => _ = Task.Run(() => _whole.TrySetException(failure));
}
