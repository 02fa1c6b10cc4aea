using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using RpOrleans.Grains.Settings;
using StackExchange.Redis;

namespace RpOrleans.Grains.Origin;

/// <summary>Stops asking a Redis that does not answer, and asks again once it answers a probe.</summary>
// A circuit breaker as usual, but for one thing: no request of a user is ever the trial. A probe runs all the time, on the same
// connection: it alone closes the breaker, and it notices a Redis that hangs while nobody reads.
internal sealed partial class OriginBreaker : IAsyncDisposable
{
    private static readonly TimeSpan _probePeriod = TimeSpan.FromMilliseconds(100);

    /// <summary>After how many times the timeout without any answer a connection is replaced, if another one is answered.</summary>
    private const int SilentTimeouts = 4;

    private readonly RedisConnection _connection;
    private readonly RedisOptions _options;
    private readonly RedisAddress _address;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CircuitBreakerManualControl _control = new();
    private readonly CircuitBreakerStateProvider _state = new();
    private readonly ResiliencePipeline _pipeline;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _probing;
    private volatile OriginFault _fault = OriginFault.None;
    private int _longAttempts;

    public OriginBreaker(RedisConnection connection, RedisOptions options, RedisAddress address, ILogger logger, TimeProvider time)
    {
        (_connection, _options, _address, _timeout, _logger, _time) = (connection, options, address, options.Timeout, logger, time);
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = 0.5,
                MinimumThroughput = 2,
                SamplingDuration = TimeSpan.FromMilliseconds(500),
                BreakDuration = TimeSpan.FromDays(1), // the longest there is; the probe ends it
                ManualControl = _control,
                StateProvider = _state,
                ShouldHandle = args => ValueTask.FromResult(args.Outcome.Exception is OriginException { Fault: OriginFault.Unreachable or OriginFault.TimedOut }),
                OnOpened = args =>
                {
                    _fault = (args.Outcome.Exception as OriginException)?.Fault ?? OriginFault.Unreachable;
                    LogOpened(_fault);
                    return ValueTask.CompletedTask;
                },
                OnClosed = _ =>
                {
                    LogClosed();
                    return ValueTask.CompletedTask;
                },
            })
            .Build();
        _probing = Task.Run(ProbeAsync);
    }

    public bool IsOpen => _state.CircuitState != CircuitState.Closed;

    /// <summary>What ails Redis; <see cref="OriginFault.None"/> as far as is known.</summary>
    public OriginFault Fault => _connection.Fault is var fault and not OriginFault.None ? fault : _fault;

    /// <summary>Makes one attempt, unless the breaker is open.</summary>
    /// <typeparam name="T">What is asked for.</typeparam>
    /// <param name="attempt">Asks Redis; fails with <see cref="OriginException"/>.</param>
    /// <param name="counts">Whether a failure tells something of Redis; not when the attempt had hardly any time.</param>
    /// <param name="isLong">Whether it may take longer than the timeout: what is asked meanwhile waits behind it, and fails without telling anything.</param>
    /// <returns>The answer.</returns>
    /// <exception cref="OriginException">The breaker is open, or the attempt failed.</exception>
    public async Task<T> RunAsync<T>(Func<Task<T>> attempt, bool counts, bool isLong)
    {
        if (IsOpen)
        {
            throw new OriginException(OriginFault.BreakerOpen);
        }

        if (!isLong)
        {
            return await RunAsync(attempt, counts && !IsBusy).ConfigureAwait(false);
        }

        Interlocked.Increment(ref _longAttempts);
        try
        {
            return await RunAsync(attempt, counts).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _longAttempts);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _probing;
        _stopping.Dispose();
    }

    /// <summary>Whether the connection is taken by something long.</summary>
    private bool IsBusy => Volatile.Read(ref _longAttempts) > 0;

    private async Task<T> RunAsync<T>(Func<Task<T>> attempt, bool counts)
    {
        if (!counts)
        {
            return await attempt().ConfigureAwait(false);
        }

        try
        {
            return await _pipeline.ExecuteAsync(static async (ask, _) => await ask().ConfigureAwait(false), attempt).ConfigureAwait(false);
        }
        catch (BrokenCircuitException)
        {
            throw new OriginException(OriginFault.BreakerOpen);
        }
    }

    private async Task ProbeAsync()
    {
        using var timer = new PeriodicTimer(_probePeriod, _time);
        var answered = _time.GetTimestamp();
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                _connection.Tend();
                if (_connection.Database is not { } database)
                {
                    answered = _time.GetTimestamp(); // the silence of a connection counts from its start
                    continue;
                }

                if (IsBusy)
                {
                    continue; // a probe would only wait for the end of it, which is within that one's own time
                }

                var epoch = _connection.Epoch;
                try
                {
                    await (IsOpen ? PingAsync(database) : _pipeline.ExecuteAsync(async _ => await PingAsync(database)).AsTask());
                    answered = _time.GetTimestamp();
                    _fault = OriginFault.None;
                    if (IsOpen)
                    {
                        await _control.CloseAsync();
                    }
                }
                catch (OriginException failure)
                {
                    _fault = failure.Fault;
                    if (failure.Fault == OriginFault.Protocol || (failure.Fault == OriginFault.TimedOut
                        && _time.GetElapsedTime(answered) > SilentTimeouts * _timeout && await SecondOpinion.IsDeadAsync(_options, _address, _timeout, () => PingAsync(database))))
                    {
                        _connection.Replace(failure.Fault, epoch);
                    }
                }
                catch (BrokenCircuitException)
                {
                    // opened just now: the next probe asks past it
                }
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
    }

    private async Task PingAsync(IDatabase database)
    {
        try
        {
            var asked = database.ExecuteAsync("PING", [], CommandFlags.NoRedirect);
            var reply = await asked.Observed().WaitAsync(_timeout, _time);
            if (reply.Resp2Type != ResultType.SimpleString || (string?)reply != "PONG")
            {
                throw new OriginException(OriginFault.Protocol);
            }

            _connection.Answered();
        }
        catch (Exception failure) when (RedisErrors.IsFailure(failure))
        {
            throw RedisErrors.Translate(failure);
        }
    }

    [LoggerMessage(EventId = 110, Level = LogLevel.Warning, Message = "Redis fails ({Fault}); it is not asked until it answers a probe")]
    private partial void LogOpened(OriginFault fault);

    [LoggerMessage(EventId = 111, Level = LogLevel.Information, Message = "Redis answers again")]
    private partial void LogClosed();
}
