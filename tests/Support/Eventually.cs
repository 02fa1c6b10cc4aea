using System.Diagnostics;

namespace RpOrleans.Tests.Support;

/// <summary>Waits for what other processes do in their own time.</summary>
internal static class Eventually
{
    private static readonly TimeSpan _step = TimeSpan.FromMilliseconds(10);

    /// <summary>Waits until something is true.</summary>
    /// <param name="condition">What is waited for.</param>
    /// <param name="within">For how long at most.</param>
    /// <param name="claim">What it is, in words.</param>
    /// <returns>How long it took.</returns>
    public static async Task<TimeSpan> TrueAsync(Func<Task<bool>> condition, TimeSpan within, string claim)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            var asked = waited.Elapsed;
            if (await condition())
            {
                return waited.Elapsed;
            }

            Assert.True(asked < within, $"Not within {within.TotalMilliseconds:F0} ms: {claim}.");
            await Task.Delay(_step);
        }
    }
}
