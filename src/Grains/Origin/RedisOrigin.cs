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

    /// <summary>Of a longer value the length is learnt first, and the whole in a second round trip that may take longer.</summary>
    private const int FirstBytes = 128 * 1024;

    /// <summary>Bytes a second that the transfer of a value over <c>MAX_VALUE_BYTES</c> must make: half of what a network of 1 Gbit/s does.</summary>
    private const double SlowestTransfer = 64 * 1024 * 1024;

    /// <summary>What is longer, in milliseconds, is taken for this: far beyond what is held anyway, and no sum with it overflows.</summary>
    private const long LongestLife = 10_000L * 24 * 60 * 60 * 1000;

    /// <summary>For how long after a connection broke the next one is waited for, on a busy machine; not at all once a connect was refused.</summary>
    private static readonly TimeSpan _reconnectPatience = TimeSpan.FromMilliseconds(500);

    /// <summary>How often it is looked whether the next is there.</summary>
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(2);

    private readonly RedisOptions _options;
    private readonly int _maximumValueBytes;
    private readonly TimeProvider _time;
    private readonly RedisConnection _connection;
    private readonly OriginBreaker _breaker;
    private readonly ConcurrencyLimiter _inFlight;
    private long _reads;
    private long _failures;
    private double _latency;

    /// <param name="options">How to log in, and how long an attempt may take.</param>
    /// <param name="address">Where Redis is.</param>
    /// <param name="maximumValueBytes">Longest value that is read.</param>
    /// <param name="logger">Told of each change of state.</param>
    /// <param name="time">The clock.</param>
    /// <param name="maxInFlight">Most reads at Redis at once; others wait.</param>
    public RedisOrigin(RedisOptions options, RedisAddress address, int maximumValueBytes, ILogger<RedisOrigin> logger, TimeProvider time, int maxInFlight = 256)
    {
        (_options, _maximumValueBytes, _time) = (options, maximumValueBytes, time);
        _connection = RedisConnection.Start(options, address, logger, time);
        _breaker = new OriginBreaker(_connection, options, address, logger, time);
        _inFlight = new ConcurrencyLimiter(new ConcurrencyLimiterOptions
        {
            PermitLimit = maxInFlight,
            QueueLimit = ReadsWaitingAtMost,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        });
    }

    /// <summary>The connection over which Redis is asked.</summary>
    public RedisConnection Connection => _connection;

    public OriginHealth Health => new(_breaker.Fault, _breaker.IsOpen);

    /// <summary>Round trips asked of Redis, for reads and writes.</summary>
    public long Reads => Interlocked.Read(ref _reads);

    /// <summary>Those that brought no usable answer.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>What an answered round trip takes, in milliseconds; recent ones count most.</summary>
    public double LatencyMilliseconds => Volatile.Read(ref _latency);

    public async Task<OriginValue> ReadAsync(byte[] key, long deadline)
    {
        var first = Math.Min(FirstBytes, _maximumValueBytes);
        OriginValue? value;
        try
        {
            value = await InTurnAsync(database => ReadOnceAsync(database, key, first), deadline, _options.Timeout).ConfigureAwait(false);
        }
        catch (OriginException failure) when (AnotherTryMayHelp(failure))
        {
            value = await InTurnAsync(database => ReadOnceAsync(database, key, first), deadline, _options.Timeout).ConfigureAwait(false);
        }

        // What is longer, or may have changed between the commands, is asked again in one transaction. Redis has just answered,
        // so it may take what time there is: one that is cut short would only hold up the next behind it.
        value ??= await InTurnAsync(database => ReadOnceAsync(database, key, _maximumValueBytes, atomically: true), deadline).ConfigureAwait(false);
        return value ?? throw new OriginException(OriginFault.Protocol);
    }

    public async Task<OriginWritten> WriteAsync(OriginWrite change, long deadline)
    {
        if (Left(deadline) <= TimeSpan.Zero)
        {
            throw new OriginException(OriginFault.TimedOut);
        }

        TimeSpan? atMost = change.Value?.Length > FirstBytes ? null : _options.Timeout; // a long one takes what time there is
        return await AttemptAsync(database => WriteOnceAsync(database, change), deadline, atMost).ConfigureAwait(false);
    }

    /// <summary>Reads a value over <c>MAX_VALUE_BYTES</c>, in one piece; for a gateway, on a connection of its own.</summary>
    /// <param name="key">The key's bytes.</param>
    /// <param name="atMost">A value of more bytes than this is not pulled.</param>
    /// <param name="deadline">When to give up, by the <see cref="TimeProvider"/>'s timestamp; a second later for each 64 MiB of the value, once its length is known.</param>
    /// <returns>The value, that there is none, or that it is too large.</returns>
    /// <exception cref="OriginException">Redis gave no usable answer by then.</exception>
    public async Task<OriginValue> ReadWholeAsync(byte[] key, int atMost, long deadline)
    {
        RedisKey redisKey = key;
        var length = await InTurnAsync(
            async database => (long)Expect(ResultType.Integer, await database.ExecuteAsync("STRLEN", [redisKey], Flags).ConfigureAwait(false)),
            deadline).ConfigureAwait(false);
        if (length > atMost)
        {
            return new OriginValue(OriginValueKind.TooLarge);
        }

        var value = await InTurnAsync(
            async database => (byte[]?)Expect(ResultType.BulkString, await database.ExecuteAsync("GET", [redisKey], Flags).ConfigureAwait(false)),
            deadline + (long)(length / SlowestTransfer * _time.TimestampFrequency)).ConfigureAwait(false);
        return value is null ? new OriginValue(OriginValueKind.Absent) : new OriginValue(OriginValueKind.Found, value);
    }

    /// <summary>Has Redis take these keys for read just now.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="atMost">How long the reply is waited for.</param>
    /// <returns>Whether it was sent; not while Redis is ill.</returns>
    /// <exception cref="RedisException">It was not answered, or refused.</exception>
    /// <exception cref="TimeoutException">It was not answered in time.</exception>
    public async Task<bool> TouchAsync(IReadOnlyList<byte[]> keys, TimeSpan atMost)
    {
        if (_breaker.IsOpen || _connection.Database is not { } database)
        {
            return false;
        }

        await database.ExecuteAsync("TOUCH", [.. keys.Select(key => (object)(RedisKey)key)], Flags).Observed().WaitAsync(atMost, _time).ConfigureAwait(false);
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await _breaker.DisposeAsync();
        await _connection.DisposeAsync();
        await _inFlight.DisposeAsync();
    }

    /// <summary>Reads a key; <see langword="null"/> when it may have changed between the commands in a way that cannot be told.</summary>
    private async Task<OriginValue?> ReadOnceAsync(IDatabase database, byte[] key, int atMost, bool atomically = false)
    {
        RedisKey redisKey = key;
        var epoch = _connection.Epoch;
        var together = atomically ? database.CreateTransaction() : database.CreateBatch();
        var asked = Task.WhenAll(
            together.ExecuteAsync("GETRANGE", [redisKey, 0, atMost - 1], Flags),
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

        var value = (byte[]?)Expect(ResultType.BulkString, replies[0]) ?? throw NotAReplyToThis();
        var length = (long)Expect(ResultType.Integer, replies[1]);
        var timeToLive = (long)Expect(ResultType.Integer, replies[2]);
        if (epoch != _connection.Epoch)
        {
            // What the library had not written yet it sends over the next connection: the replies may be of two, and the
            // first of one that ended because it could not be trusted. Asked again at once, it is no failure of Redis.
            throw new OriginException(OriginFault.Unreachable);
        }

        return Judge(value, length, timeToLive, atMost, atomically);
    }

    private OriginValue? Judge(byte[] value, long length, long timeToLive, int atMost, bool atomically)
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
        if (!atomically && (value.Length == 0 || (changed && value.Length == atMost)))
        {
            return null; // empty or absent? whole, or the beginning of something longer?
        }

        // Changed meanwhile: it was the value, but is not kept.
        TimeSpan? left = changed ? TimeSpan.Zero : timeToLive < 0 ? null : TimeSpan.FromMilliseconds(Math.Min(timeToLive, LongestLife));
        return new OriginValue(OriginValueKind.Found, value, left);
    }

    // Tracked is what was read, not what was written (docs/coherence.md, 5), and the value that is read is what Redis holds,
    // whoever else writes the key at this moment.
    private async Task<OriginWritten> WriteOnceAsync(IDatabase database, OriginWrite change)
    {
        var server = _connection.Server ?? throw new OriginException(OriginFault.Unreachable);
        var write = server.ExecuteAsync(_options.Database, change.Value is null ? "DEL" : "SET", ArgumentsOf(change), Flags).Observed();
        var atMost = Math.Min(change.Value?.Length > FirstBytes ? int.MaxValue : FirstBytes, _maximumValueBytes);
        var read = ReadOnceAsync(database, change.Key, atMost).Observed();
        var reply = await write.ConfigureAwait(false);
        var done = change switch
        {
            { Value: null } => Expect(ResultType.Integer, reply) is not null,
            { OnlyIfAbsent: true } when reply.IsNull => false,
            _ => (string?)Expect(ResultType.SimpleString, reply) == "OK" ? true : throw NotAReplyToThis(),
        };
        try
        {
            return new OriginWritten(done, await read.ConfigureAwait(false));
        }
        catch (Exception failure) when (RedisErrors.IsFailure(failure))
        {
            return new OriginWritten(done, null); // written, and that is what was asked
        }
    }

    private static List<object> ArgumentsOf(OriginWrite change)
    {
        List<object> arguments = [(RedisKey)change.Key];
        if (change.Value is not null)
        {
            arguments.Add((RedisValue)change.Value);
        }

        if (change.Expiry is { } expiry)
        {
            arguments.AddRange(["PX", Math.Max(1, (long)expiry.TotalMilliseconds)]);
        }

        if (change.OnlyIfAbsent)
        {
            arguments.Add("NX");
        }

        return arguments;
    }

    /// <summary>A reply of another type than the command's is the reply to something else: nothing that follows it can be trusted.</summary>
    private static RedisResult Expect(ResultType type, RedisResult reply) => reply.Resp2Type == type ? reply : throw NotAReplyToThis();

    private static OriginException NotAReplyToThis() => new(OriginFault.Protocol, outcomeUnknown: true);

    /// <summary>Waits for a place among the reads in flight, then makes an attempt.</summary>
    private async Task<T> InTurnAsync<T>(Func<IDatabase, Task<T>> ask, long deadline, TimeSpan? atMost = null)
    {
        using var place = _inFlight.AttemptAcquire() is { IsAcquired: true } free ? free : await QueueAsync(deadline).ConfigureAwait(false);
        return await AttemptAsync(ask, deadline, atMost).ConfigureAwait(false);
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

    /// <summary>Makes one attempt, if Redis can be asked: in so much time at most, or, for what is long, in all that is left.</summary>
    private async Task<T> AttemptAsync<T>(Func<IDatabase, Task<T>> ask, long deadline, TimeSpan? atMost)
    {
        if (_connection.Fault is var fault && fault.SaysMoreThanBreakerOpen())
        {
            throw new OriginException(fault);
        }

        var left = Left(deadline);
        return await _breaker.RunAsync(() => SendAsync(ask, atMost < left ? atMost.Value : left), counts: left >= _options.Timeout, isLong: atMost is null).ConfigureAwait(false);
    }

    private async Task<T> SendAsync<T>(Func<IDatabase, Task<T>> ask, TimeSpan timeout)
    {
        var started = _time.GetTimestamp();
        while (true)
        {
            try
            {
                return await SendOnceAsync(ask, timeout - _time.GetElapsedTime(started)).ConfigureAwait(false);
            }
            catch (OriginException failure) when (failure is { Fault: OriginFault.Unreachable, OutcomeUnknown: false } && _connection.LostWithin(_reconnectPatience) && _time.GetElapsedTime(started) + _pause < timeout)
            {
                // It was not sent, so this was no attempt yet: the connection went a moment ago, and the next is being made.
                await Task.Delay(_pause, _time).ConfigureAwait(false);
            }
        }
    }

    private async Task<T> SendOnceAsync<T>(Func<IDatabase, Task<T>> ask, TimeSpan timeout)
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
        var epoch = _connection.Epoch;
        var sent = _time.GetTimestamp();
        try
        {
            var answer = await ask(database).Observed().WaitAsync(timeout, _time).ConfigureAwait(false);
            _connection.Answered();
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
            if (translated.Fault == OriginFault.Protocol && failure is RedisConnectionException && epoch != _connection.Epoch)
            {
                // Written to a socket that was closed just then, which the library takes for a failure of its own.
                translated = new OriginException(OriginFault.Unreachable, translated.OutcomeUnknown, failure);
            }
            else if (translated.Fault == OriginFault.Protocol)
            {
                _connection.Replace(OriginFault.Protocol, epoch);
            }
            else if (translated is { Fault: OriginFault.Unreachable, OutcomeUnknown: false } && _connection.Fault is var why && why.SaysMoreThanBreakerOpen())
            {
                translated = new OriginException(why, inner: failure);
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
}
