using System.Collections.Concurrent;
using RpOrleans.Checker.Judging;

namespace RpOrleans.Checker;

// A key has one writer at a time, which holds it until it knows whether its write took effect. So the order of versions is the
// order of their effects, and what happens to all keys at once (an empty Redis, another one) is one more write of each.

/// <summary>The keys, who writes them now, and all that was written.</summary>
internal sealed class KeySpace
{
    private readonly int[] _held;
    private readonly List<Write>[] _writes;
    private readonly int[] _recent = new int[8];
    private int _recently;
    private int _heldNow;
    private volatile bool _closed;

    public KeySpace(int count)
    {
        _held = new int[count];
        _writes = [.. Enumerable.Range(0, count).Select(_ => new List<Write>())];
    }

    public int Count => _held.Length;

    /// <summary>Writes of which nobody knows yet whether they took effect.</summary>
    public ConcurrentQueue<Write> Unsettled { get; } = [];

    public Write[][] Writes => [.. _writes.Select(writes => writes.ToArray())];

    /// <summary>A key that was written a moment ago: where a stale copy would be seen.</summary>
    public int Recent(Random random) => Volatile.Read(ref _recent[random.Next(_recent.Length)]);

    /// <summary>Takes a key to write it.</summary>
    public bool TryHold(int key)
    {
        if (_closed || Interlocked.CompareExchange(ref _held[key], 1, 0) != 0)
        {
            return false;
        }

        Interlocked.Increment(ref _heldNow);
        if (!_closed)
        {
            return true;
        }

        Release(key);
        return false;
    }

    /// <summary>The version that a held key is given next.</summary>
    public int NextVersion(int key) => _writes[key].Count + 1;

    /// <summary>Begins a write of a held key.</summary>
    public void Begin(Write write) => _writes[write.Key].Add(write);

    /// <summary>Ends a write, and lets the key go unless it is not known whether the write took effect.</summary>
    public void End(Write write)
    {
        _writes[write.Key][write.Version - 1] = write;
        Volatile.Write(ref _recent[Interlocked.Increment(ref _recently) % _recent.Length], write.Key);
        if (write.Outcome == Outcome.Unsettled)
        {
            Unsettled.Enqueue(write);
        }
        else
        {
            Release(write.Key);
        }
    }

    /// <summary>Waits until no key is held, and lets nobody take one.</summary>
    /// <returns>Whether it came to that.</returns>
    public async Task<bool> CloseAsync(TimeSpan within)
    {
        _closed = true;
        for (var asked = Clock.Now; Volatile.Read(ref _heldNow) > 0; await Task.Delay(5))
        {
            if (Clock.Now - asked > within)
            {
                return false;
            }
        }

        return true;
    }

    public void Open() => _closed = false;

    /// <summary>Notes, while the keys are closed, that all of them were changed at Redis.</summary>
    /// <param name="start">When that began.</param>
    /// <param name="deletes">Whether they are gone, or have their next versions.</param>
    public void AllChanged(TimeSpan start, bool deletes)
    {
        var now = Clock.Now;
        for (var key = 0; key < Count; key++)
        {
            Begin(new Write(start, now, now - start, (ushort)key, NextVersion(key), History.Redis, deletes, TimeSpan.Zero, Outcome.Acknowledged, 0, WriteForm.AtRedis));
        }
    }

    private void Release(int key)
    {
        Volatile.Write(ref _held[key], 0);
        Interlocked.Decrement(ref _heldNow);
    }
}
