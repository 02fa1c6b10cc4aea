using System.Diagnostics;
using System.Globalization;
using RpOrleans.Memory;

// Measures what a node's cache takes of memory, and how long it keeps everyone waiting: it is filled, then written to and read for a
// while, then cleared. Prints a table.
//
//   dotnet run -c Release --project bench/Memory -- [ENTRIES [SECONDS [SHARE OF WRITES]]]

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var entries = args.Length > 0 ? int.Parse(args[0]) : 10_000_000;
var seconds = args.Length > 1 ? double.Parse(args[1]) : 30;
var writes = args.Length > 2 ? double.Parse(args[2]) : 0.1;

new CacheLoad(1_000).Fill(); // so that code is compiled
var load = new CacheLoad(entries);
var begin = ResidentMemory.Bytes;
using var pauses = new PauseWatch();

load.Fill();
var beside = CacheLoad.KeyBytes + CacheLoad.ValueBytes;
Console.WriteLine($"filled: {load.Cache.Count:N0} entries of {CacheLoad.KeyBytes}-byte keys and {CacheLoad.ValueBytes}-byte values");
Print("an entry beside key and value, resident", $"{((ResidentMemory.Bytes - begin) / (double)load.Cache.Count) - beside:0.0} B");
Print("an entry beside key and value, allocated", $"{(load.Cache.Allocated / (double)load.Cache.Count) - beside:0.0} B");
Print("an entry beside key and value, counted", $"{(load.Cache.Bytes / (double)load.Cache.Count) - beside:0.0} B");
PrintPauses();

var most = load.Churn(TimeSpan.FromSeconds(seconds), writes, () => ResidentMemory.Bytes - begin);
Console.WriteLine($"churned: {seconds:0} s, {load.Operations:N0} operations, {load.Writes:N0} of them writes of {CacheLoad.SmallestChurned} to {CacheLoad.LargestChurned} bytes");
Print("limit", Megabytes(load.Cache.MaximumBytes));
Print("counted", Megabytes(load.Cache.Bytes));
Print("allocated", Megabytes(load.Cache.Allocated));
Print("resident, at most", $"{Megabytes(most)}: {most / (double)load.Cache.MaximumBytes:0.000} × the limit");
PrintPauses();

load.Clear();
Console.WriteLine("cleared");
PrintPauses();
Live(TimeSpan.FromSeconds(5));
Print("resident, 5 s later", $"{Megabytes(ResidentMemory.Bytes - begin)}, of which the garbage collector needs {Megabytes(GC.GetGCMemoryInfo(GCKind.Any).HeapSizeBytes)}");
return;

void PrintPauses()
{
    var (collector, lateness) = pauses.Take();
    Print("longest operation, of processor time", $"{load.TakeLongest().TotalMilliseconds:0.0} ms");
    if (collector.Count > 0)
    {
        Print("pauses for the garbage collector", $"{collector.Count}: {collector[collector.Count / 2].TotalMilliseconds:0.0} ms, the longest {collector[^1].TotalMilliseconds:0.0} ms");
    }

    Print("latest that a sleeping thread woke", $"{lateness.TotalMilliseconds:0.0} ms; what other programs take is part of that");
}

// The garbage collector gives memory back to the system only while it has something to do.
static void Live(TimeSpan time)
{
    var begin = Stopwatch.GetTimestamp();
    while (Stopwatch.GetElapsedTime(begin) < time)
    {
        GC.KeepAlive(new byte[1_000]);
    }
}

static void Print(string what, string much) => Console.WriteLine($"  {what,-42} {much}");

static string Megabytes(long bytes) => $"{bytes / 1e6:N0} MB";
