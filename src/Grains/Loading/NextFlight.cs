namespace RpOrleans.Grains.Loading;

// For readers that must see what Redis holds after they asked: they may share a load, but only one that starts after they
// arrived. One load in flight, one waiting to start when it ends: a herd costs two reads.
//
// No lock: the owning grain runs one turn at a time, and nothing here awaits before the state is set.

/// <summary>Loads that are joined only before they start, by key.</summary>
/// <typeparam name="TResult">What a load gives.</typeparam>
/// <param name="comparer">Tells keys apart.</param>
/// <param name="waitersAtMost">Readers that may join one load.</param>
internal sealed class NextFlight<TResult>(IEqualityComparer<byte[]> comparer, int waitersAtMost = Waiters.AtMost)
{
    private readonly Dictionary<byte[], Queue> _queues = new(comparer);

    /// <summary>Runs the load, or joins one that has not started yet.</summary>
    /// <param name="key">What is loaded.</param>
    /// <param name="load">The load.</param>
    /// <param name="joined">Whether another reader's load was joined.</param>
    /// <returns>The load; <see langword="null"/> when as many wait for it as may.</returns>
    public Task<TResult>? Run(byte[] key, Func<Task<TResult>> load, out bool joined)
    {
        joined = false;
        if (!_queues.TryGetValue(key, out var queue))
        {
            _queues[key] = queue = new Queue();
            return queue.Running = RunAndLeaveAsync(key, queue, load);
        }

        if (queue.Waiting is { } waiting)
        {
            joined = queue.Joined < waitersAtMost;
            queue.Joined += joined ? 1 : 0;
            return joined ? waiting : null;
        }

        queue.Joined = 0;
        return queue.Waiting = RunAfterAsync(queue.Running!, key, queue, load);
    }

    private async Task<TResult> RunAfterAsync(Task previous, byte[] key, Queue queue, Func<Task<TResult>> load)
    {
        await previous.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        queue.Running = queue.Waiting;
        queue.Waiting = null;
        _queues[key] = queue;
        return await RunAndLeaveAsync(key, queue, load);
    }

    private async Task<TResult> RunAndLeaveAsync(byte[] key, Queue queue, Func<Task<TResult>> load)
    {
        try
        {
            return await load();
        }
        finally
        {
            if (queue.Waiting is null)
            {
                _queues.Remove(key);
            }
        }
    }

    private sealed class Queue
    {
        public Task<TResult>? Running { get; set; }

        public Task<TResult>? Waiting { get; set; }

        /// <summary>Readers that have joined what waits.</summary>
        public int Joined { get; set; }
    }
}
