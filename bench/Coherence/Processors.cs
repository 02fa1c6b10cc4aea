using System.Diagnostics;
using System.Globalization;

namespace RpOrleans.Coherence;

/// <summary>Who has used the machine's processors since this was made: what is measured, this program, and others.</summary>
internal sealed class Processors(IReadOnlyList<int> servers)
{
    private const int TicksPerSecond = 100; // of /proc, on every Linux that .NET runs on

    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly (long Servers, long Own, long Busy) _before = Times(servers);

    /// <summary>The shares since then.</summary>
    // The kernel counts the busy time of the whole by samples, and that of a process exactly: others are known roughly.
    public Shares Used()
    {
        var now = Times(servers);
        var all = Stopwatch.GetElapsedTime(_began).TotalSeconds * TicksPerSecond * Environment.ProcessorCount;
        var (used, own, busy) = (now.Servers - _before.Servers, now.Own - _before.Own, now.Busy - _before.Busy);
        return new Shares(100 * used / all, 100 * own / all, Math.Max(0, 100 * (busy - used - own) / all));
    }

    private static (long Servers, long Own, long Busy) Times(IEnumerable<int> servers)
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

/// <summary>Percent of all processors.</summary>
internal readonly record struct Shares(double Servers, double LoadGenerator, double Others)
{
    public override string ToString() => $"{Servers:0} / {LoadGenerator:0} / {Others:0}";
}
