using System.Diagnostics;
using System.Globalization;

namespace RpOrleans.Coherence;

/// <summary>Who has used the machine's processors since this was made: what is measured, this program, and others.</summary>
internal sealed class Processors(IReadOnlyList<int> servers)
{
    private const int TicksPerSecond = 100; // of /proc, on every Linux that .NET runs on

    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly (long Servers, long Own, long Busy) _before = Used(servers);

    /// <summary>The shares, in percent of all processors.</summary>
    // The kernel counts the busy time of the whole by samples, and that of a process exactly: others are known roughly.
    public override string ToString()
    {
        var now = Used(servers);
        var all = Stopwatch.GetElapsedTime(_began).TotalSeconds * TicksPerSecond * Environment.ProcessorCount;
        var (used, own, busy) = (now.Servers - _before.Servers, now.Own - _before.Own, now.Busy - _before.Busy);
        return string.Create(CultureInfo.InvariantCulture, $"{100 * used / all:0} / {100 * own / all:0} / {Math.Max(0, 100 * (busy - used - own) / all):0}");
    }

    private static (long Servers, long Own, long Busy) Used(IEnumerable<int> servers)
    {
        // cpu user nice system idle iowait irq softirq steal …, in ticks
        var machine = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9]
            .Select(ticks => long.Parse(ticks, CultureInfo.InvariantCulture)).ToArray();
        return (servers.Sum(Of), Of(Environment.ProcessId), machine.Sum() - machine[3] - machine[4]);
    }

    private static long Of(int process)
    {
        // What follows the name, which may hold spaces: user and system time are the 12th and 13th of it.
        var fields = File.ReadAllText($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/stat");
        var times = fields[(fields.LastIndexOf(')') + 2)..].Split(' ')[11..13];
        return times.Sum(ticks => long.Parse(ticks, CultureInfo.InvariantCulture));
    }
}
