using System.Diagnostics;

namespace RpOrleans.Tests.Processes;

/// <summary>Watches how long a thread that is ready waits for a processor, to tell a late answer from a busy machine. It is printed; it excuses nothing.</summary>
internal sealed class Processor : IDisposable
{
    private static readonly TimeSpan _nap = TimeSpan.FromMilliseconds(2);

    private readonly Thread _watching;
    private long _longest;
    private volatile bool _ended;

    public Processor()
    {
        _watching = new Thread(Watch) { IsBackground = true };
        _watching.Start();
    }

    public TimeSpan LongestWait => new(Interlocked.Read(ref _longest));

    public void Dispose()
    {
        _ended = true;
        _watching.Join();
    }

    private void Watch()
    {
        while (!_ended)
        {
            var asleep = Stopwatch.GetTimestamp();
            Thread.Sleep(_nap); // not to wait for anything: how much longer it takes is what is measured
            var overslept = Stopwatch.GetElapsedTime(asleep) - _nap;
            if (overslept.Ticks > _longest)
            {
                Interlocked.Exchange(ref _longest, overslept.Ticks);
            }
        }
    }
}
