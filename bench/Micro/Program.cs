using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using RpOrleans.Micro;

// The parts of a read, each by itself: time and memory of one operation. Arguments are BenchmarkDotNet's, --filter among them; all of them
// are run when none is named. In this process, and briefly: the whole takes a few minutes, and tells 10 % from nothing, not 1 %.

var job = Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance);
var config = ManualConfig.CreateEmpty()
    .AddJob(job)
    .AddDiagnoser(MemoryDiagnoser.Default)
    .AddColumnProvider(BenchmarkDotNet.Columns.DefaultColumnProviders.Instance)
    .AddExporter(MarkdownExporter.GitHub)
    .AddLogger(ConsoleLogger.Default)
    .HideColumns("Job", "Toolchain", "IterationCount", "LaunchCount", "WarmupCount", "Error", "RatioSD", "Alloc Ratio", "Gen0", "Gen1", "Gen2");
var summaries = BenchmarkSwitcher.FromAssembly(typeof(Samples).Assembly).Run(args.Length == 0 ? ["--filter", "*"] : args, config).ToList();
return summaries.Count > 0 && summaries.TrueForAll(summary => !summary.HasCriticalValidationErrors && summary.Reports.All(report => report.Success)) ? 0 : 1;
