using System.ComponentModel;
using System.Runtime.InteropServices;

namespace RpOrleans.Load;

// Why not the asynchronous sockets of .NET: one thread that is told of many sockets at once takes less CPU, and on a machine
// that the load generator shares with what is measured, that would be measured too.

/// <summary>Tells which of many sockets can be read.</summary>
internal sealed partial class Epoll : IDisposable
{
    private const int Add = 1;
    private const int Readable = 1;

    // The kernel's struct epoll_event is packed on x64 only.
    private static readonly int Size = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataAt = Size - 8;

    private readonly int _epoll = Checked(epoll_create1(0));
    private readonly byte[] _events = new byte[1024 * Size];

    /// <summary>Watches a socket from now on.</summary>
    /// <param name="socket">Its handle.</param>
    /// <param name="number">What <see cref="Number"/> will say of it.</param>
    public void Watch(nint socket, int number)
    {
        Span<byte> watched = stackalloc byte[Size];
        MemoryMarshal.Write(watched, Readable);
        MemoryMarshal.Write(watched[DataAt..], (long)number);
        Checked(epoll_ctl(_epoll, Add, (int)socket, ref MemoryMarshal.GetReference(watched)));
    }

    /// <summary>Waits until one of them can be read.</summary>
    /// <param name="nanoseconds">For how long at most.</param>
    /// <returns>How many can be read.</returns>
    public int Wait(long nanoseconds)
    {
        var timeout = new Timespec(nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
        var ready = epoll_pwait2(_epoll, ref _events[0], _events.Length / Size, in timeout, 0);
        return ready >= 0 || Marshal.GetLastPInvokeError() == Interrupted ? Math.Max(ready, 0) : throw new Win32Exception();
    }

    /// <summary>Which socket the event is about.</summary>
    public int Number(int readyIndex) => (int)MemoryMarshal.Read<long>(_events.AsSpan((readyIndex * Size) + DataAt));

    /// <summary>Has this thread wake when it said, and not up to 50 µs later.</summary>
    public static void WakePunctually() => Checked(prctl(SetTimerSlack, 1, 0, 0, 0));

    public void Dispose() => Checked(close(_epoll));

    private const int Interrupted = 4;
    private const int SetTimerSlack = 29;

    private static int Checked(int result) => result >= 0 ? result : throw new Win32Exception();

    private readonly record struct Timespec(long Seconds, long Nanoseconds);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int socket, ref byte watched);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_pwait2(int epoll, ref byte events, int most, in Timespec timeout, nint signals);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nuint two, nuint three, nuint four, nuint five);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int handle);
}
