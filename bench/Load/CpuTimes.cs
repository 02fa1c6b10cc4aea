using System.Globalization;

namespace RpOrleans.Load;

/// <summary>CPU used so far, in seconds: by the servers, by this program, and by the whole machine.</summary>
internal readonly record struct CpuTimes(double Servers, double Own, double Machine)
{
    private const double TicksPerSecond = 100; // of /proc, on every Linux that .NET runs on

    /// <summary>As it stands now.</summary>
    /// <exception cref="WrongAnswerException">A server has ended.</exception>
    public static CpuTimes Now(IReadOnlyList<int> servers)
    {
        // cpu user nice system idle iowait irq softirq steal …, in ticks
        var machine = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9]
            .Select(ticks => double.Parse(ticks, CultureInfo.InvariantCulture)).ToArray();
        return new CpuTimes(servers.Sum(Of), Of(Environment.ProcessId), (machine.Sum() - machine[3] - machine[4]) / TicksPerSecond);
    }

    public static CpuTimes operator -(CpuTimes now, CpuTimes before) =>
        new(now.Servers - before.Servers, now.Own - before.Own, now.Machine - before.Machine);

    private static double Of(int process)
    {
        try
        {
            // What follows the name, which may hold spaces: user and system time are the 12th and 13th of it.
            var fields = File.ReadAllText($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/stat");
            return fields[(fields.LastIndexOf(')') + 2)..].Split(' ')[11..13].Sum(ticks => double.Parse(ticks, CultureInfo.InvariantCulture)) / TicksPerSecond;
        }
        catch (IOException gone)
        {
            throw new WrongAnswerException($"Process {process} has ended.", gone);
        }
    }
}
