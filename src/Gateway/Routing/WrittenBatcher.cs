using RpOrleans.Grains;

namespace RpOrleans.Gateway.Routing;

// As PeekBatcher: what is written while a call is on its way goes together in the next one. Nobody joins a call that has been
// sent: the node would have let go of its copy before the write that it is to settle.

/// <summary>Gathers what clients have written into few calls of one node.</summary>
/// <param name="send">Tells the node, and comes back when no node answers any more with what was there before.</param>
/// <param name="time">The clock.</param>
internal sealed class WrittenBatcher(Func<WrittenKeys, Task> send, TimeProvider time)
{
    /// <summary>A call that takes longer waits for a node that does not answer: nobody who comes later waits for it too.</summary>
    private static readonly TimeSpan _prompt = TimeSpan.FromMilliseconds(20);

    private readonly Lock _lock = new();
    private Batch? _next;
    private int _calls;

    /// <summary>Settles keys together with those of others.</summary>
    public Task SettleAsync(WrittenKeys written)
    {
        Batch batch;
        lock (_lock)
        {
            var first = _next is null;
            batch = _next ??= new Batch();
            batch.Add(written);
            if (_calls > 0)
            {
                if (first)
                {
                    _ = SendLateAsync(batch);
                }

                return batch.Settled.Task;
            }

            _calls++;
        }

        _ = SendAllAsync();
        return batch.Settled.Task;
    }

    /// <summary>Sends a batch that the call in front of it keeps waiting for too long.</summary>
    private async Task SendLateAsync(Batch batch)
    {
        await Task.Delay(_prompt, time).ConfigureAwait(false);
        lock (_lock)
        {
            if (_next != batch)
            {
                return; // it is on its way
            }

            _calls++;
        }

        await SendAllAsync().ConfigureAwait(false);
    }

    private async Task SendAllAsync()
    {
        while (Take() is { } batch)
        {
            try
            {
                await send(batch.Written).ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                _ = Task.Run(() => batch.Settled.SetException(failure)); // then they go on to another node
                continue;
            }

            // Clients are answered here and now, one after the other: a hop to another thread for each costs more than its answer. What they and
            // others write meanwhile goes into the next call: sent before, it would be smaller.
            batch.Settled.SetResult();
        }
    }

    private Batch? Take()
    {
        lock (_lock)
        {
            var batch = _next;
            _next = null;
            _calls -= batch is null ? 1 : 0;

            return batch;
        }
    }

    private sealed class Batch
    {
        private readonly List<byte[]> _keys = [];
        private bool _any;

        public TaskCompletionSource Settled { get; } = new();

        public WrittenKeys Written => new(_any ? null : [.. _keys]);

        public void Add(WrittenKeys written)
        {
            _any |= written.Keys is null;
            _keys.AddRange(written.Keys ?? []);
        }
    }
}
