using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Microsoft.Extensions.Logging;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Settings;
using Xunit;

namespace RpOrleans.Tests.Origin;

/// <summary>A <see cref="RedisOrigin"/> in front of a port, with all that it logged, and the deadlines that its users set.</summary>
internal sealed class OriginUnderTest : ILogger<RedisOrigin>, IAsyncDisposable
{
    public const int MaximumValueBytes = 1_024;

    private readonly RedisAddress _address;

    public OriginUnderTest(int port, string? password = null, string? user = null, TimeSpan? timeout = null, int maxInFlight = 256, int database = 0, TimeProvider? time = null)
        : this(
            new RedisOptions { Host = "127.0.0.1", Port = port, Password = password, User = user, Database = database, Timeout = timeout ?? TimeSpan.FromMilliseconds(250) },
            maxInFlight,
            time)
    {
    }

    public OriginUnderTest(RedisOptions options, int maxInFlight = 256, TimeProvider? time = null, int maximumValueBytes = MaximumValueBytes)
    {
        Time = time ?? TimeProvider.System;
        _address = new RedisAddress(options, this);
        Origin = new RedisOrigin(options, _address, maximumValueBytes, this, Time, maxInFlight);
    }

    public RedisOrigin Origin { get; }

    public TimeProvider Time { get; }

    public ConcurrentQueue<(int Id, string Text)> Log { get; } = [];

    public static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    /// <summary>Waits for something to become true.</summary>
    /// <returns>How long it took.</returns>
    public static async Task<TimeSpan> UntilAsync(Func<bool> condition, int withinMilliseconds = 5_000)
    {
        var waited = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(waited.ElapsedMilliseconds < withinMilliseconds, $"Not within {withinMilliseconds} ms.");
            await Task.Delay(2);
        }

        return waited.Elapsed;
    }

    public long In(int milliseconds) => Time.GetTimestamp() + (Time.TimestampFrequency * milliseconds / 1_000);

    public Task<OriginValue> ReadAsync(string key, int within = 550) => Origin.ReadAsync(Bytes(key), In(within));

    public async Task<bool> SetAsync(string key, string value, TimeSpan? expiry = null, bool onlyIfAbsent = false, int within = 550) =>
        (await Origin.WriteAsync(new OriginWrite(Bytes(key), Bytes(value), expiry, onlyIfAbsent), In(within))).Done;

    /// <summary>Waits until Redis answers.</summary>
    public Task<TimeSpan> AnswersAsync(int withinMilliseconds = 5_000) => UntilAsync(() => Origin.Health.Answers, withinMilliseconds);

    /// <summary>Waits until a read succeeds.</summary>
    /// <returns>How long it took.</returns>
    public async Task<TimeSpan> ServesAsync(int withinMilliseconds = 5_000)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await ReadAsync("anything");
                return waited.Elapsed;
            }
            catch (OriginException failure)
            {
                Assert.True(waited.ElapsedMilliseconds < withinMilliseconds, $"Not within {withinMilliseconds} ms: {failure.Fault}.");
                await Task.Delay(2);
            }
        }
    }

    /// <summary>Reads, expecting a failure.</summary>
    public async Task<(OriginException Failure, TimeSpan Took)> FailsAsync(int within = 550)
    {
        var took = Stopwatch.StartNew();
        var failure = await Assert.ThrowsAsync<OriginException>(() => ReadAsync("anything", within));
        return (failure, took.Elapsed);
    }

    /// <summary>Reads until it fails in the way that is expected.</summary>
    public Task FailsWithAsync(OriginFault fault, int withinMilliseconds = 5_000) => FailsWithAsync(fault, () => ReadAsync("anything"), withinMilliseconds);

    public static async Task FailsWithAsync(OriginFault fault, Func<Task> attempt, int withinMilliseconds = 5_000)
    {
        var waited = Stopwatch.StartNew();
        while ((await Assert.ThrowsAsync<OriginException>(attempt)).Fault is var met && met != fault)
        {
            Assert.True(waited.ElapsedMilliseconds < withinMilliseconds, $"{met} instead of {fault}.");
            await Task.Delay(5);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Origin.DisposeAsync();
        await _address.DisposeAsync();
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Log.Enqueue((eventId.Id, formatter(state, exception) + exception));
}
