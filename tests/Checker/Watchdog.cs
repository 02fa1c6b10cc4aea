using System.Collections.Concurrent;
using RpOrleans.Checker.Judging;

namespace RpOrleans.Checker;

// An answer can be late because this machine had no processor for anybody, or because the checker itself was not let run:
// a thread that naps sees the first, a timer of the pool, on which readers and writers run, the second too. Such a time is
// added to what an answer may take; it excuses nothing else.

/// <summary>Watches when the checker was not let run.</summary>
internal sealed class Watchdog : IDisposable
{
    private static readonly TimeSpan _nap = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan _usual = TimeSpan.FromMilliseconds(15);

    private readonly ConcurrentQueue<Span> _frozen = [];
    private readonly Thread _napping;
    private readonly Task _ticking;
    private volatile bool _ended;

    public Watchdog()
    {
        _napping = new Thread(Nap) { IsBackground = true };
        _napping.Start();
        _ticking = TickAsync();
    }

    public IReadOnlyList<Span> Frozen => [.. _frozen];

    public void Dispose()
    {
        _ended = true;
        _napping.Join();
        _ticking.Wait();
    }

    private void Nap()
    {
        while (!_ended)
        {
            var asleep = Clock.Now;
            Thread.Sleep(_nap); // not to wait for anything: how much longer it takes is what is measured
            Note(asleep);
        }
    }

    private async Task TickAsync()
    {
        while (!_ended)
        {
            var asleep = Clock.Now;
            await Task.Delay(_nap);
            Note(asleep);
        }
    }

    private void Note(TimeSpan asleep)
    {
        if (Clock.Now is var awake && awake - asleep > _nap + _usual)
        {
            _frozen.Enqueue(new Span(asleep + _nap, awake));
        }
    }
}
