using System.Globalization;
using RpOrleans.Tests.Support;

namespace RpOrleans.Checker;

// libfaketime stands between a process and the kernel's time of day, and adds what a file says, which it looks into once a
// second. What is measured by the monotonic clock it leaves alone, as the kernel does when somebody sets the time.

/// <summary>What a process takes for the time of day.</summary>
internal static class WallClock
{
    private const string Library = "faketime/libfaketimeMT.so.1";
    private const string File = "FAKETIME_TIMESTAMP_FILE";

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private static readonly string? _library = !Directory.Exists("/usr/lib") ? null
        : Directory.EnumerateDirectories("/usr/lib").Append("/usr/lib").Select(folder => Path.Combine(folder, Library)).FirstOrDefault(System.IO.File.Exists);

    private static readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(2) };

    /// <summary>Whether it can be set: libfaketime is installed.</summary>
    public static bool IsPossible => _library is not null;

    /// <summary>Has a process that is started with these settings go by a clock of its own.</summary>
    /// <param name="settings">Its environment variables.</param>
    /// <param name="folder">Where the clock is kept.</param>
    public static void Give(Dictionary<string, string> settings, DirectoryInfo folder)
    {
        settings["LD_PRELOAD"] = _library!;
        settings["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
        settings["FAKETIME_FORCE_MONOTONIC_FIX"] = "0"; // else .NET's waits, which are by that clock, end late: a read took 190 ms instead of 2
        settings["FAKETIME_CACHE_DURATION"] = "1";
        settings[File] = Path.Combine(folder.FullName, Guid.NewGuid().ToString());
        Write(settings[File], TimeSpan.Zero);
    }

    /// <summary>Sets a process's clock, and waits until it goes by it.</summary>
    /// <param name="process">The process.</param>
    /// <param name="ahead">How far it is ahead of the time of day, in whole seconds; below zero, behind.</param>
    /// <exception cref="TimeoutException">It does not.</exception>
    public static async Task SetAsync(NodeProcess process, TimeSpan ahead)
    {
        Write(process.Settings[File], ahead);
        await Eventually.TrueAsync(async () => Math.Abs((await AheadAsync(process) - ahead)?.TotalSeconds ?? 60) < 5, _patience, $"{process.Program} has its clock set by {ahead}");
    }

    private static async Task<TimeSpan?> AheadAsync(NodeProcess process)
    {
        try
        {
            using var answer = await _http.GetAsync($"http://127.0.0.1:{process.Settings["ADMIN_PORT"]}/livez");
            return answer.Headers.Date - DateTimeOffset.UtcNow;
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    /// <summary>In one step: it may be read at any moment.</summary>
    private static void Write(string file, TimeSpan ahead)
    {
        System.IO.File.WriteAllText(file + ".new", ahead.TotalSeconds.ToString("+0;-0", CultureInfo.InvariantCulture));
        System.IO.File.Move(file + ".new", file, overwrite: true);
    }
}
