using System.Threading.Tasks.Sources;
using RpOrleans.Grains;

namespace RpOrleans.Gateway.Routing;

// One grain call for many keys. While a call is on its way the next readers gather, and go together when it is back: the
// busier the node, the larger the batches, and an idle one waits for nobody. A reader only ever joins a batch that has not
// been sent yet, so what it is told was true after it asked.

/// <summary>Gathers concurrent look-ups of one node into few calls.</summary>
/// <param name="send">Asks the node.</param>
internal sealed class PeekBatcher(Func<KeyBatch, Task<LookupBatch>> send)
{
    private const int KeysAtMost = 256;
    private const int AnsweredInTurn = 16 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<Waiter> _waiting = new();
    private bool _sending;

    /// <summary>Looks one key up in the node's memory.</summary>
    public ValueTask<Lookup> PeekAsync(byte[] key)
    {
        var waiter = new Waiter(key);
        var answer = waiter.Answer;
        lock (_gate)
        {
            _waiting.Enqueue(waiter);
            if (_sending)
            {
                return answer;
            }

            _sending = true;
        }

        _ = SendAllAsync();
        return answer;
    }

    private async Task SendAllAsync()
    {
        var batch = Take();
        var call = CallFor(batch);
        while (call is not null)
        {
            LookupBatch? answers = null;
            Exception? failure = null;
            try
            {
                answers = await call.ConfigureAwait(false);
            }
            catch (Exception caught)
            {
                failure = caught;
            }

            // The next batch is on its way before the readers of this one are answered, which takes longer than the call.
            var answered = batch!;
            batch = Take();
            call = CallFor(batch);
            for (var i = 0; i < answered.Length; i++)
            {
                if (answers is not null)
                {
                    answered[i].Succeed(answers.Items[i]);
                }
                else
                {
                    answered[i].Fail(failure!);
                }
            }
        }
    }

    private Task<LookupBatch>? CallFor(Waiter[]? batch)
    {
        if (batch is null)
        {
            return null;
        }

        var keys = new byte[batch.Length][];
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = batch[i].Key;
        }

        try
        {
            return send(new KeyBatch(keys));
        }
        catch (Exception failure)
        {
            return Task.FromException<LookupBatch>(failure);
        }
    }

    private Waiter[]? Take()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                _sending = false;
                return null;
            }

            var batch = new Waiter[Math.Min(_waiting.Count, KeysAtMost)];
            for (var i = 0; i < batch.Length; i++)
            {
                batch[i] = _waiting.Dequeue();
            }

            return batch;
        }
    }

    private sealed class Waiter : IValueTaskSource<Lookup>
    {
        private ManualResetValueTaskSourceCore<Lookup> _core;

        public Waiter(byte[] key) => Key = key;

        public byte[] Key { get; }

        public ValueTask<Lookup> Answer => new(this, _core.Version);

        // A small value is answered here and now, one reader after the other: a hop to another thread for each costs more than
        // its answer. A large one, or an error, which goes on to another node, must not keep the others waiting.
        public void Succeed(Lookup lookup)
        {
            _core.RunContinuationsAsynchronously = lookup.Value is not { Length: <= AnsweredInTurn };
            _core.SetResult(lookup);
        }

        public void Fail(Exception failure)
        {
            _core.RunContinuationsAsynchronously = true;
            _core.SetException(failure);
        }

        Lookup IValueTaskSource<Lookup>.GetResult(short token) => _core.GetResult(token);

        ValueTaskSourceStatus IValueTaskSource<Lookup>.GetStatus(short token) => _core.GetStatus(token);

        void IValueTaskSource<Lookup>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);
    }
}
