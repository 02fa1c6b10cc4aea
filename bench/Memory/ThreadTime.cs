using System.Runtime.InteropServices;

namespace RpOrleans.Memory;

/// <summary>The time that the present thread had a processor: on a machine that others use too, what it took itself and no more.</summary>
internal static class ThreadTime
{
    private const int ThreadClock = 3; // CLOCK_THREAD_CPUTIME_ID, of Linux

    public static long Nanoseconds
    {
        get
        {
            Span<long> time = stackalloc long[2]; // struct timespec
            return clock_gettime(ThreadClock, ref time[0]) == 0 ? (time[0] * 1_000_000_000) + time[1] : 0;
        }
    }

    [DllImport("libc")]
    private static extern int clock_gettime(int clock, ref long time);
}
