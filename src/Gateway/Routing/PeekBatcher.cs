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
    /// <summary>No more are added to a call once it has so many keys; those of one reader are not parted.</summary>
    private const int KeysAtMost = 4_096;

    /// <summary>What takes more bytes than this to be answered is handed to another thread.</summary>
    private const int AnsweredInTurn = 16 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<Waiter> _waiting = new();
    private bool _sending;

    /// <summary>Looks keys up in the node's memory.</summary>
    /// <param name="keys">The keys of one reader.</param>
    public ValueTask<PeekAnswers> PeekAsync(KeyBatch keys)
    {
        var waiter = new Waiter(keys);
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
            if (answers is null)
            {
                answered.ForEach(waiter => waiter.Fail(failure!));
            }
            else
            {
                Answer(answered, answers);
            }
        }
    }

    private static void Answer(List<Waiter> answered, LookupBatch answers)
    {
        var begin = 0;
        for (var i = 0; i < answered.Count; i++)
        {
            var end = i + 1 < answered.Count ? answers.Skip(begin, answered[i].Keys.Count) : answers.Packed.Length;
            answered[i].Succeed(answers, begin, end - begin);
            begin = end;
        }
    }

    private Task<LookupBatch>? CallFor(List<Waiter>? batch)
    {
        try
        {
            return batch switch
            {
                null => null,
                [var alone] => send(alone.Keys),
                _ => send(Together(batch)),
            };
        }
        catch (Exception failure)
        {
            return Task.FromException<LookupBatch>(failure);
        }
    }

    private static KeyBatch Together(List<Waiter> batch)
    {
        var (count, bytes) = (0, 0);
        foreach (var waiter in batch)
        {
            count += waiter.Keys.Count;
            bytes += waiter.Keys.Packed.Length;
        }

        var packed = GC.AllocateUninitializedArray<byte>(bytes);
        var at = 0;
        foreach (var waiter in batch)
        {
            waiter.Keys.Packed.CopyTo(packed, at);
            at += waiter.Keys.Packed.Length;
        }

        return new KeyBatch(count, packed);
    }

    private List<Waiter>? Take()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                _sending = false;
                return null;
            }

            var batch = new List<Waiter>(Math.Min(_waiting.Count, KeysAtMost));
            for (var keys = 0; keys < KeysAtMost && _waiting.TryDequeue(out var waiter); keys += waiter.Keys.Count)
            {
                batch.Add(waiter);
            }

            return batch;
        }
    }

    private sealed class Waiter : IValueTaskSource<PeekAnswers>
    {
        private ManualResetValueTaskSourceCore<PeekAnswers> _core;

        public Waiter(KeyBatch keys) => Keys = keys;

        public KeyBatch Keys { get; }

        public ValueTask<PeekAnswers> Answer => new(this, _core.Version);

        // A small value is answered here and now, one reader after the other: a hop to another thread for each costs more than
        // its answer. A large one, or an error, which goes on to another node, must not keep the others waiting.
        public void Succeed(LookupBatch answers, int begin, int bytes)
        {
            _core.RunContinuationsAsynchronously = bytes > AnsweredInTurn || answers.IsMiss(begin);
            _core.SetResult(new PeekAnswers(answers, begin));
        }

        public void Fail(Exception failure)
        {
            _core.RunContinuationsAsynchronously = true;
            _core.SetException(failure);
        }

        PeekAnswers IValueTaskSource<PeekAnswers>.GetResult(short token) => _core.GetResult(token);

        ValueTaskSourceStatus IValueTaskSource<PeekAnswers>.GetStatus(short token) => _core.GetStatus(token);

        void IValueTaskSource<PeekAnswers>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);
    }
}

/// <summary>What a node answered one reader.</summary>
/// <param name="batch">The answers to all who asked in the same call.</param>
/// <param name="begin">Where this reader's begin.</param>
internal struct PeekAnswers(LookupBatch batch, int begin)
{
    private int _at = begin;

    /// <summary>Takes the answer to the next key, all but a value's bytes.</summary>
    /// <param name="value">The value's bytes, if there is one.</param>
    public Lookup Next(out ReadOnlyMemory<byte> value) => batch.Read(ref _at, out value);
}
