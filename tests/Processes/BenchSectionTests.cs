using System.Diagnostics;
using Xunit;

namespace RpOrleans.Tests.Processes;

/// <summary>Each benchmark writes its result into the document, and leaves what others wrote.</summary>
public sealed class BenchSectionTests : IDisposable
{
    private readonly string _document = Path.GetTempFileName();

    [Fact]
    public async Task ResultTakesThePlaceOfTheOneBeforeAndNothingElseChanges()
    {
        await File.WriteAllTextAsync(_document, "# Benchmarks\n\n<!-- bench/run -->\n| old |\n<!-- /bench/run -->\n\nWritten by hand.\n");

        await WriteAsync("bench/coherence", "| 1 & \\n |");
        await WriteAsync("bench/run", "| new |");
        await WriteAsync("bench/coherence", "| 2 & \\n |");
        await WriteAsync("bench/run", "| new |");

        Assert.Equal(
            "# Benchmarks\n\n<!-- bench/run -->\n| new |\n<!-- /bench/run -->\n\nWritten by hand.\n"
            + "\n## Heading\n\n<!-- bench/coherence -->\n| 2 & \\n |\n<!-- /bench/coherence -->\n",
            await File.ReadAllTextAsync(_document));
    }

    public void Dispose() => File.Delete(_document);

    private async Task WriteAsync(string name, string text)
    {
        using var section = Process.Start(new ProcessStartInfo("bash", [Script(), _document, name, "## Heading"]) { RedirectStandardInput = true })!;
        await section.StandardInput.WriteAsync(text);
        section.StandardInput.Close();
        await section.WaitForExitAsync();
        Assert.Equal(0, section.ExitCode);
    }

    private static string Script()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "RpOrleans.sln")))
        {
            folder = folder.Parent!;
        }

        return Path.Combine(folder.FullName, "bench", "section");
    }
}
