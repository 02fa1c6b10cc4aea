using System.Collections.Concurrent;
using System.Text;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Tests.Support;

/// <summary>An origin that counts what it is asked, and holds still when told to.</summary>
internal sealed class FakeOrigin : IOrigin
{
    private readonly ConcurrentDictionary<string, byte[]> _values = new();
    private readonly ConcurrentDictionary<string, int> _loads = new();
    private volatile TaskCompletionSource? _paused;
    private volatile TaskCompletionSource? _writesPaused;
    private int _reads;

    /// <summary>Reads of all keys.</summary>
    public int Loads => _reads;

    /// <summary>What reads fail with; none when <see langword="null"/>.</summary>
    public OriginFault? Failing { get; set; }

    /// <summary>The same, but its health does not say so.</summary>
    public OriginFault? FailingUnnoticed { get; set; }

    /// <summary>Whether what fails is not even tried.</summary>
    public bool Refuses { get; set; }

    public OriginHealth Health => new(Failing ?? OriginFault.None, Refuses);

    public double LatencyMilliseconds => 0;

    public string this[string key]
    {
        set => _values[key] = Encoding.UTF8.GetBytes(value);
    }

    /// <summary>Reads of one key.</summary>
    public int LoadsOf(string key) => _loads.GetValueOrDefault(key);

    /// <summary>What is asked from now on is read at once, but answered only after <see cref="Resume"/>.</summary>
    public void Pause() => _paused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Resume()
    {
        var paused = _paused;
        _paused = null;
        paused?.SetResult();
    }

    /// <summary>What is written from now on takes effect only after <see cref="ResumeWrites"/>.</summary>
    public void PauseWrites() => _writesPaused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void ResumeWrites() => _writesPaused?.SetResult();

    public void Remove(string key) => _values.TryRemove(key, out _);

    public async Task<OriginValue> ReadAsync(byte[] key, long deadline)
    {
        var name = Encoding.UTF8.GetString(key);
        Interlocked.Increment(ref _reads);
        _loads.AddOrUpdate(name, 1, (_, loads) => loads + 1);
        var value = _values.GetValueOrDefault(name);
        var failing = Failing ?? FailingUnnoticed;
        if (_paused is { } paused)
        {
            await paused.Task;
        }

        return failing is { } fault ? throw new OriginException(fault)
            : value is null ? new OriginValue(OriginValueKind.Absent)
            : new OriginValue(OriginValueKind.Found, value, TimeToLive);
    }

    /// <summary>What is left of every value's life; <see langword="null"/> for no end.</summary>
    public TimeSpan? TimeToLive { get; set; }

    public async Task<OriginWritten> WriteAsync(OriginWrite change, long deadline)
    {
        LastWriteDeadline = deadline;
        if (Failing is { } fault)
        {
            throw new OriginException(fault, outcomeUnknown: fault == OriginFault.TimedOut);
        }

        await (_writesPaused?.Task ?? Task.CompletedTask);
        await Task.Yield();
        var name = Encoding.UTF8.GetString(change.Key);
        if (change.Value is null)
        {
            _values.TryRemove(name, out _);
            return new OriginWritten(true, new OriginValue(OriginValueKind.Absent));
        }

        var done = change.OnlyIfAbsent ? _values.TryAdd(name, change.Value) : Set(name, change.Value);
        return new OriginWritten(done, new OriginValue(OriginValueKind.Found, _values[name], done ? change.Expiry : null));
    }

    public long LastWriteDeadline { get; private set; }

    private bool Set(string name, byte[] value)
    {
        _values[name] = value;
        return true;
    }
}
