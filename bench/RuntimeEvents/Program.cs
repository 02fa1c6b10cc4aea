using System.Globalization;
using Microsoft.Diagnostics.Tracing;
using RpOrleans.RuntimeEvents;

// Tells of .NET processes what their runtimes wrote down: they were started with DOTNET_EnableEventPipe=1 and
// DOTNET_EventPipeConfig=Microsoft-Windows-DotNETRuntime:1:4 (for allocated :1:5). Of all the files together, within that time, in seconds since 1970:
//
//   pauses SINCE UNTIL FILE…       how long they held all of their threads: one line of JSON
//   allocated SINCE UNTIL FILE…    how many bytes they allocated, and of which types most: bytes and name, a line each, the sum first

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is not [("pauses" or "allocated") and var what, var begin, var end, .. { Length: > 0 } files])
{
    Console.Error.WriteLine("pauses|allocated SINCE UNTIL FILE…");
    return 2;
}

var (since, until) = (Time(begin), Time(end));
IFinding finding = what == "pauses" ? new Pauses() : new Allocations();
foreach (var file in files)
{
    using var source = new EventPipeEventSource(file);
    finding.Read(source, since, until);
    source.Process();
}

Console.WriteLine(finding);
return 0;

static DateTime Time(string seconds) => DateTime.UnixEpoch.AddSeconds(double.Parse(seconds));
