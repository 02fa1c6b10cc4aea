using System.Diagnostics;
using RpOrleans.Grains.Lru;

namespace RpOrleans.Memory;

/// <summary>A cache, filled and used by one thread.</summary>
internal sealed class CacheLoad
{
    public const int KeyBytes = 16;
    public const int ValueBytes = 100;
    public const int SmallestChurned = 20;
    public const int LargestChurned = 400;

    private static readonly TimeSpan _life = TimeSpan.FromHours(1);

    private readonly byte[] _value = new byte[LargestChurned];
    private readonly Random _random = new(1);
    private readonly int _entries;
    private long _longest;

    /// <param name="entries">With so many it is full.</param>
    public CacheLoad(int entries)
    {
        _entries = entries;
        Cache = new LruCache(int.MaxValue, entries * Entry.SizeOf(KeyBytes, ValueBytes), TimeProvider.System);
        _random.NextBytes(_value);
    }

    public LruCache Cache { get; }

    public long Operations { get; private set; }

    public long Writes { get; private set; }

    public void Fill()
    {
        for (var i = 0; i < _entries; i++)
        {
            Write(i, ValueBytes);
        }
    }

    /// <summary>Reads and writes, and looks ten times a second.</summary>
    /// <param name="time">For how long.</param>
    /// <param name="writes">The share of writes.</param>
    /// <param name="look">What it looks at.</param>
    /// <returns>The most that it saw.</returns>
    public long Churn(TimeSpan time, double writes, Func<long> look)
    {
        var most = 0L;
        var (begin, looked) = (Stopwatch.GetTimestamp(), Stopwatch.GetTimestamp());
        Span<byte> key = stackalloc byte[KeyBytes];
        while (Stopwatch.GetElapsedTime(begin) < time)
        {
            Operations++;
            var number = _random.Next(_entries);
            if (_random.NextDouble() < writes)
            {
                Writes++;
                Write(number, _random.Next(SmallestChurned, LargestChurned + 1));
            }
            else
            {
                KeyOf(number, key);
                var sent = ThreadTime.Nanoseconds;
                Cache.TryGet(key, out _);
                Took(sent);
            }

            if (Stopwatch.GetElapsedTime(looked) > TimeSpan.FromSeconds(0.1))
            {
                (looked, most) = (Stopwatch.GetTimestamp(), Math.Max(most, look()));
            }
        }

        return most;
    }

    public void Clear()
    {
        var sent = ThreadTime.Nanoseconds;
        Cache.Clear(RemovalCause.Invalidated, tell: false);
        Took(sent);
    }

    /// <summary>How long the longest operation took since this was asked.</summary>
    public TimeSpan TakeLongest() => TimeSpan.FromMicroseconds(Interlocked.Exchange(ref _longest, 0) / 1e3);

    private void Write(int number, int size)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        KeyOf(number, key);
        var sent = ThreadTime.Nanoseconds;
        Cache.Put(key, _value.AsSpan(0, size), Stopwatch.GetTimestamp(), _life);
        Took(sent);
    }

    private void Took(long sent) => _longest = Math.Max(_longest, ThreadTime.Nanoseconds - sent);

    private static void KeyOf(int number, Span<byte> key)
    {
        "entry:"u8.CopyTo(key);
        number.TryFormat(key["entry:".Length..], out _, "D10");
    }
}
