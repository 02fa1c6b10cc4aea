using System.Globalization;

namespace RpOrleans.Coherence;

/// <summary>Who has used the machine's processors since this was made: what is measured, this program, and others.</summary>
internal sealed class Processors(IReadOnlyList<int> servers)
{
    private readonly (long Machine, long Idle, long Servers, long Own) _before = Used(servers);

    /// <summary>The shares, in percent of all processors.</summary>
    public override string ToString()
    {
        var now = Used(servers);
        double all = now.Machine - _before.Machine;
        var (idle, own, used) = (now.Idle - _before.Idle, now.Own - _before.Own, now.Servers - _before.Servers);
        return string.Create(
            CultureInfo.InvariantCulture, $"{100 * used / all:0} / {100 * own / all:0} / {Math.Max(0, 100 * (all - idle - own - used) / all):0} / {100 * idle / all:0}");
    }

    private static (long Machine, long Idle, long Servers, long Own) Used(IEnumerable<int> servers)
    {
        // cpu user nice system idle iowait irq softirq steal …, in ticks
        var machine = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9]
            .Select(ticks => long.Parse(ticks, CultureInfo.InvariantCulture)).ToArray();
        return (machine.Sum(), machine[3] + machine[4], servers.Sum(Of), Of(Environment.ProcessId));
    }

    private static long Of(int process)
    {
        // What follows the name, which may hold spaces: user and system time are the 12th and 13th of it.
        var fields = File.ReadAllText($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/stat");
        var times = fields[(fields.LastIndexOf(')') + 2)..].Split(' ')[11..13];
        return times.Sum(ticks => long.Parse(ticks, CultureInfo.InvariantCulture));
    }
}
