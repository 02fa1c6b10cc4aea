using System.Runtime.InteropServices;
using RpOrleans.Checker;
using RpOrleans.Checker.Judging;

// Starts a cluster of real processes, writes and reads it while everything goes wrong, and judges afterwards whether what was
// promised was kept. Ends with 0 when it was, 1 when it was not, 2 when that cannot be said.

Options options;
try
{
    options = Options.Parse(args);
}
catch (FormatException wrong)
{
    Console.Error.WriteLine($"{wrong.Message}\n{Options.Usage}");
    return 2;
}

using var interrupted = new CancellationTokenSource();
using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
try
{
    return await Run.OfAsync(options, interrupted.Token);
}
catch (OperationCanceledException)
{
    return 2;
}

void Interrupt(PosixSignalContext context)
{
    context.Cancel = true; // the processes are ended first
    interrupted.Cancel();
}
