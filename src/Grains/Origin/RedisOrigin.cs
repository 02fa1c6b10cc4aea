using System.Threading.RateLimiting;
using Microsoft.Extensions.Logging;
using RpOrleans.Grains.Settings;
using StackExchange.Redis;

namespace RpOrleans.Grains.Origin;

/// <summary>Redis, asked within deadlines: what cannot be answered in time is refused at once.</summary>
// Nothing here goes back to the caller's scheduler: a grain has better things to do than to put replies together.
// The way of one attempt: a place among those in flight → a connection → the breaker → Redis → its reply, type by type.
internal sealed class RedisOrigin : IOrigin, IAsyncDisposable
{
    private const int ReadsWaitingAtMost = 10_000;
    private const CommandFlags Flags = CommandFlags.NoRedirect; // never go to an address that a reply names

    /// <summary>How long a read whose connection broke waits for the next one.</summary>
    private static readonly TimeSpan _reconnectPatience = TimeSpan.FromMilliseconds(50);

    private readonly RedisOptions _options;
    private readonly int _maximumValueBytes;
    private readonly TimeProvider _time;
    private readonly RedisConnection _connection;
    private readonly OriginBreaker _breaker;
    private readonly ConcurrencyLimiter _inFlight;
    private readonly object[] _rangeBounds;
    private long _reads;
    private long _failures;
    private double _latency;

    /// <param name="options">Where Redis is, and how long an attempt may take.</param>
    /// <param name="maximumValueBytes">Longest value that is read.</param>
    /// <param name="logger">Told of each change of state.</param>
    /// <param name="time">The clock.</param>
    /// <param name="maxInFlight">Most reads at Redis at once; others wait.</param>
    public RedisOrigin(RedisOptions options, int maximumValueBytes, ILogger<RedisOrigin> logger, TimeProvider time, int maxInFlight = 256)
    {
        (_options, _maximumValueBytes, _time) = (options, maximumValueBytes, time);
        _connection = RedisConnection.Start(options, logger, time);
        _breaker = new OriginBreaker(_connection, options, logger, time);
        _inFlight = new ConcurrencyLimiter(new ConcurrencyLimiterOptions
        {
            PermitLimit = maxInFlight,
            QueueLimit = ReadsWaitingAtMost,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        });
        _rangeBounds = [0, maximumValueBytes - 1];
    }

    public OriginHealth Health => new(_breaker.Fault);

    /// <summary>Round trips asked of Redis, for reads and writes.</summary>
    public long Reads => Interlocked.Read(ref _reads);

    /// <summary>Those that brought no usable answer.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>What an answered round trip takes, in milliseconds; recent ones count most.</summary>
    public double LatencyMilliseconds => Volatile.Read(ref _latency);

    public async Task<OriginValue> ReadAsync(byte[] key, long deadline)
    {
        OriginValue? value;
        try
        {
            value = await InTurnAsync(database => ReadOnceAsync(database, key), deadline).ConfigureAwait(false);
        }
        catch (OriginException failure) when (AnotherTryMayHelp(failure))
        {
            await _connection.ReturnsWithinAsync(Earlier(_reconnectPatience, Left(deadline))).ConfigureAwait(false);
            value = await InTurnAsync(database => ReadOnceAsync(database, key), deadline).ConfigureAwait(false);
        }

        // What may have changed between the commands is asked again in one transaction.
        value ??= await InTurnAsync(database => ReadOnceAsync(database, key, atomically: true), deadline).ConfigureAwait(false);
        return value ?? throw new OriginException(OriginFault.Protocol);
    }

    public async Task<bool> WriteAsync(OriginWrite change, long deadline)
    {
        if (Left(deadline) <= TimeSpan.Zero)
        {
            throw new OriginException(OriginFault.TimedOut);
        }

        return await AttemptAsync(_ => WriteOnceAsync(change), deadline).ConfigureAwait(false);
    }

    /// <summary>Reads a value over <c>MAX_VALUE_BYTES</c>, in one piece; for a gateway, on a connection of its own.</summary>
    /// <param name="key">The key's bytes.</param>
    /// <param name="atMost">A value of more bytes than this is not pulled.</param>
    /// <param name="deadline">When to give up, by the <see cref="TimeProvider"/>'s timestamp.</param>
    /// <returns>The value, that there is none, or that it is too large.</returns>
    /// <exception cref="OriginException">Redis gave no usable answer by then.</exception>
    public Task<OriginValue> ReadWholeAsync(byte[] key, int atMost, long deadline) => InTurnAsync(
        async database =>
        {
            RedisKey redisKey = key;
            if ((long)Expect(ResultType.Integer, await database.ExecuteAsync("STRLEN", [redisKey], Flags).ConfigureAwait(false)) > atMost)
            {
                return new OriginValue(OriginValueKind.TooLarge);
            }

            var value = (byte[]?)Expect(ResultType.BulkString, await database.ExecuteAsync("GET", [redisKey], Flags).ConfigureAwait(false));
            return value is null ? new OriginValue(OriginValueKind.Absent) : new OriginValue(OriginValueKind.Found, value);
        },
        deadline);

    public async ValueTask DisposeAsync()
    {
        await _breaker.DisposeAsync();
        await _connection.DisposeAsync();
        await _inFlight.DisposeAsync();
    }

    /// <summary>Reads a key; <see langword="null"/> when it may have changed between the commands in a way that cannot be told.</summary>
    private async Task<OriginValue?> ReadOnceAsync(IDatabase database, byte[] key, bool atomically = false)
    {
        RedisKey redisKey = key;
        var together = atomically ? database.CreateTransaction() : database.CreateBatch();
        var asked = Task.WhenAll(
            together.ExecuteAsync("GETRANGE", [redisKey, .. _rangeBounds], Flags),
            together.ExecuteAsync("STRLEN", [redisKey], Flags),
            together.ExecuteAsync("PTTL", [redisKey], Flags));
        if (together is ITransaction transaction)
        {
            await transaction.ExecuteAsync(Flags).ConfigureAwait(false);
        }
        else
        {
            together.Execute();
        }

        RedisResult[] replies;
        try
        {
            replies = await asked.ConfigureAwait(false);
        }
        catch (RedisServerException failure) when (RedisErrors.IsWrongType(failure))
        {
            return new OriginValue(OriginValueKind.WrongType);
        }

        return Judge(
            (byte[]?)Expect(ResultType.BulkString, replies[0]) ?? throw NotAReplyToThis(),
            (long)Expect(ResultType.Integer, replies[1]),
            (long)Expect(ResultType.Integer, replies[2]),
            atomically);
    }

    private OriginValue? Judge(byte[] value, long length, long timeToLive, bool atomically)
    {
        if (length > _maximumValueBytes)
        {
            return new OriginValue(OriginValueKind.TooLarge);
        }

        if (value.Length == 0 && timeToLive == -2)
        {
            return new OriginValue(OriginValueKind.Absent);
        }

        var changed = value.Length != length || timeToLive == -2;
        if (!atomically && (value.Length == 0 || (changed && value.Length == _maximumValueBytes)))
        {
            return null; // empty or absent? whole, or the beginning of something longer?
        }

        // Changed meanwhile: it was the value, but is not kept.
        TimeSpan? left = changed ? TimeSpan.Zero : timeToLive < 0 ? null : TimeSpan.FromMilliseconds(timeToLive);
        return new OriginValue(OriginValueKind.Found, value, left);
    }

    private async Task<bool> WriteOnceAsync(OriginWrite change)
    {
        var server = _connection.Server ?? throw new OriginException(OriginFault.Unreachable);
        RedisKey key = change.Key;
        if (change.Value is null)
        {
            Expect(ResultType.Integer, await server.ExecuteAsync(_options.Database, "DEL", [key], Flags).ConfigureAwait(false));
            return true;
        }

        List<object> arguments = [key, (RedisValue)change.Value];
        if (change.Expiry is { } expiry)
        {
            arguments.AddRange(["PX", Math.Max(1, (long)expiry.TotalMilliseconds)]);
        }

        if (change.OnlyIfAbsent)
        {
            arguments.Add("NX");
        }

        var reply = await server.ExecuteAsync(_options.Database, "SET", arguments, Flags).ConfigureAwait(false);
        if (change.OnlyIfAbsent && reply.IsNull)
        {
            return false;
        }

        return (string?)Expect(ResultType.SimpleString, reply) == "OK" ? true : throw NotAReplyToThis();
    }

    /// <summary>A reply of another type than the command's is the reply to something else: nothing that follows it can be trusted.</summary>
    private static RedisResult Expect(ResultType type, RedisResult reply) => reply.Resp2Type == type ? reply : throw NotAReplyToThis();

    private static OriginException NotAReplyToThis() => new(OriginFault.Protocol, outcomeUnknown: true);

    /// <summary>Waits for a place among the reads in flight, then makes an attempt.</summary>
    private async Task<T> InTurnAsync<T>(Func<IDatabase, Task<T>> ask, long deadline)
    {
        using var place = _inFlight.AttemptAcquire() is { IsAcquired: true } free ? free : await QueueAsync(deadline).ConfigureAwait(false);
        return await AttemptAsync(ask, deadline).ConfigureAwait(false);
    }

    private async Task<RateLimitLease> QueueAsync(long deadline)
    {
        var left = Left(deadline);
        if (left <= TimeSpan.Zero)
        {
            throw new OriginException(OriginFault.TimedOut);
        }

        using var patience = new CancellationTokenSource(left, _time);
        try
        {
            var place = await _inFlight.AcquireAsync(cancellationToken: patience.Token).ConfigureAwait(false);
            return place.IsAcquired ? place : throw new OriginException(OriginFault.Shed);
        }
        catch (OperationCanceledException)
        {
            throw new OriginException(OriginFault.TimedOut);
        }
    }

    /// <summary>Makes one attempt, if Redis can be asked, in the time that is left.</summary>
    private async Task<T> AttemptAsync<T>(Func<IDatabase, Task<T>> ask, long deadline)
    {
        if (_connection.Fault is var fault and (OriginFault.Refused or OriginFault.Protocol or OriginFault.Loading))
        {
            throw new OriginException(fault); // says more than that the breaker is open
        }

        var left = Left(deadline);
        return await _breaker.RunAsync(() => SendAsync(ask, Earlier(_options.Timeout, left)), counts: left >= _options.Timeout).ConfigureAwait(false);
    }

    private async Task<T> SendAsync<T>(Func<IDatabase, Task<T>> ask, TimeSpan timeout)
    {
        if (timeout <= TimeSpan.Zero)
        {
            throw new OriginException(OriginFault.TimedOut);
        }

        if (_connection.Database is not { } database)
        {
            throw new OriginException(_connection.Fault is var fault and not OriginFault.None ? fault : OriginFault.Unreachable);
        }

        Interlocked.Increment(ref _reads);
        var sent = _time.GetTimestamp();
        try
        {
            var answer = await ask(database).Observed().WaitAsync(timeout, _time).ConfigureAwait(false);
            Answered(_time.GetElapsedTime(sent));
            return answer;
        }
        catch (Exception failure) when (RedisErrors.IsFailure(failure))
        {
            Interlocked.Increment(ref _failures);
            if (failure is RedisConnectionException)
            {
                _connection.Lost();
            }

            var translated = RedisErrors.Translate(failure);
            if (translated.Fault == OriginFault.Protocol)
            {
                _connection.Replace(OriginFault.Protocol);
            }

            throw translated;
        }
    }

    private void Answered(TimeSpan took)
    {
        var mean = Volatile.Read(ref _latency); // two at once may lose one sample, which a mean survives
        Volatile.Write(ref _latency, mean == 0 ? took.TotalMilliseconds : mean + ((took.TotalMilliseconds - mean) / 16));
    }

    /// <summary>When it was not answered, or there was no connection just now; not when the breaker is open: then Redis is known to be ill.</summary>
    private bool AnotherTryMayHelp(OriginException failure) =>
        failure.Fault is OriginFault.Unreachable or OriginFault.TimedOut && !_breaker.IsOpen;

    private TimeSpan Left(long deadline) => _time.GetElapsedTime(_time.GetTimestamp(), deadline);

    private static TimeSpan Earlier(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
