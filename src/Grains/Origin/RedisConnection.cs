using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using RpOrleans.Grains.Settings;
using StackExchange.Redis;

namespace RpOrleans.Grains.Origin;

/// <summary>The one connection over which Redis is asked: made in the background, and made anew for as long as it takes.</summary>
// The library reconnects by itself; what it does not do, or not as we need it, is added where it lets us in:
// - its event for a failed connection comes once until the next success, so that Redis "back, but refusing the login" looks
//   like "still down". It logs each failure, so its logger is where we learn of them;
// - after each loss it connects at once, however often that is: before each socket we wait until some time has passed;
// - a socket that is silent is replaced late, and one that trickles never: we keep the socket, and close it.
internal sealed partial class RedisConnection : IAsyncDisposable
{
    /// <summary>More than the library can be behind with telling of.</summary>
    private const int MostUntold = 4;

    /// <summary>With the connection that was lost the next may end too: a Redis that dies may still take it, and the library may end it, on a busy machine.</summary>
    private const int MostLostTogether = 2;

    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly RedisAddress _address;
    private readonly EndPoint _endPoint;
    private readonly SocketGate _gate;
    private readonly Task _connecting;
    private volatile ConnectionMultiplexer? _multiplexer;
    private volatile IDatabase? _database;
    private volatile IServer? _server;

    private readonly Lock _lock = new();
    private readonly Queue<Attempt> _untold = []; // of whose end the library has not told yet
    private volatile Attempt? _current;
    private long _attempts;
    private volatile bool _answered; // since the loss before
    private long? _lostAt;
    private int _failuresSinceLost;
    private RedisConnectionException? _told;
    private int _wordless; // connects in a row that failed without a word of Redis
    private readonly object[]? _login;
    private volatile Attempt? _loggedIn;
    private volatile Task _loggingIn = Task.CompletedTask;
    private OriginFault _fault = OriginFault.Unreachable;
    private string? _reason; // of Untrusted, in words
    private OriginFault? _logged;
    private readonly long _started;

    private RedisConnection(RedisOptions options, RedisAddress address, ILogger logger, TimeProvider time)
    {
        (_address, _logger, _time, _started) = (address, logger, time, time.GetTimestamp());
        _login = options switch
        {
            { Password: null } => null,
            { User: null } => [options.Password],
            _ => [options.User, options.Password],
        };
        _endPoint = RedisClient.EndPointOf(options);
        _gate = new SocketGate(options, address, _endPoint, time, (socket, _) => OnSocket(socket));
        _connecting = Task.Run(() => ConnectAsync(options));
    }

    /// <summary>Starts connecting, and returns at once, whatever Redis does.</summary>
    /// <param name="options">How to log in.</param>
    /// <param name="address">Where Redis is.</param>
    /// <param name="logger">Told of each change of state, once.</param>
    /// <param name="time">The clock.</param>
    /// <returns>A connection that may not be there yet.</returns>
    public static RedisConnection Start(RedisOptions options, RedisAddress address, ILogger logger, TimeProvider time) => new(options, address, logger, time);

    /// <summary>Where to send commands; <see langword="null"/> while there is no connection, of which <see cref="Fault"/> says why.</summary>
    public IDatabase? Database => IsUsable ? _database : null;

    /// <summary>Where to send writes: the same Redis, and if it is a replica the library says so instead of "no connection".</summary>
    public IServer? Server => IsUsable ? _server : null;

    /// <summary>Goes up before each socket connects: what Redis remembers of a connection is gone with its socket.</summary>
    public long Epoch => Interlocked.Read(ref _attempts);

    /// <summary>Why there is no connection; <see cref="OriginFault.None"/> when there is one.</summary>
    public OriginFault Fault
    {
        get
        {
            lock (_lock) return Database is null ? _fault : OriginFault.None;
        }
    }

    /// <summary>Told that a command was answered: if the connection is lost now, the next one may be there in a moment.</summary>
    public void Answered() => _answered = true;

    /// <summary>Told by a command that the connection is gone, which may come before the library says so itself.</summary>
    public void Lost()
    {
        lock (_lock)
        {
            if (_answered)
            {
                (_answered, _lostAt, _failuresSinceLost) = (false, _time.GetTimestamp(), 0);
            }
        }
    }

    /// <summary>Whether a connection that worked was lost a moment ago, and the next was not refused; it usually takes a millisecond or two.</summary>
    /// <param name="span">How long a moment is.</param>
    public bool LostWithin(TimeSpan span)
    {
        lock (_lock) return _lostAt is { } lost && _time.GetElapsedTime(lost) < span;
    }

    /// <summary>Closes a socket over which nothing sensible comes any more; the library then makes another.</summary>
    /// <param name="why">What is wrong with it.</param>
    /// <param name="epoch">The <see cref="Epoch"/> in which that showed: by now another may be in its place, which is not to pay for it.</param>
    public void Replace(OriginFault why, long epoch)
    {
        Attempt? condemned;
        lock (_lock)
        {
            if (epoch != Epoch)
            {
                return;
            }

            (_fault, _wordless) = (why, 0);
            condemned = _current;
            if (condemned is not null) condemned.IsCondemned = true;
        }

        condemned?.Socket?.Dispose();
    }

    /// <summary>Looks after the connection; called a few times a second.</summary>
    public void Tend()
    {
        if (_multiplexer is { IsConnected: true } && !IsUsable && _loggingIn.IsCompleted)
        {
            _loggingIn = LogInAsync();
        }

        if (_multiplexer is { IsConnected: true } && (_gate.IsElsewhere(ConnectionType.Interactive) || IsDemoted))
        {
            Replace(OriginFault.ReadOnly, Epoch); // the sentinels say, or will say, where else to go
        }

        bool stuck;
        lock (_lock)
        {
            stuck = Database is null && _current is { IsCondemned: false } current && _time.GetElapsedTime(current.Since) > 2 * RedisClient.ConnectTimeout;
            if (Database is not null)
            {
                _fault = OriginFault.Unreachable; // what it is if it is lost, until the library says why
            }
        }

        if (stuck)
        {
            Replace(OriginFault.TimedOut, Epoch); // connected, but the login is not answered
        }

        Report();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _connecting;
        await RedisClient.EndAsync(_multiplexer);
        _stopping.Dispose();
    }

    /// <summary>Whether it is a replica where it has to be a master; the library asks when it connects, and every second.</summary>
    private bool IsDemoted => _address.IsMaster && _server is { IsReplica: true };

    private bool IsUsable => _multiplexer is { IsConnected: true } && !IsDemoted && (_login is null || (_loggedIn is { IsCondemned: false } attempt && attempt == _current));

    // A login that is refused does not stop the library: where Redis lets anybody in, it would go on as the default user.
    private async Task LogInAsync()
    {
        var (attempt, epoch) = (_current, Epoch);
        try
        {
            await _database!.ExecuteAsync("AUTH", _login!, CommandFlags.NoRedirect).Observed().WaitAsync(RedisClient.ConnectTimeout, _time);
            _loggedIn = attempt;
        }
        catch (RedisServerException failure) when (RedisErrors.FaultOf(failure.Kind) != OriginFault.Refused)
        {
            _loggedIn = attempt; // there is nothing to log in to: it asks nobody for a password
        }
        catch (RedisServerException)
        {
            Replace(OriginFault.Refused, epoch);
        }
        catch (Exception failure) when (RedisErrors.IsFailure(failure))
        {
            // The connection went meanwhile; with the next one it begins anew.
        }
    }

    private async Task ConnectAsync(RedisOptions options)
    {
        var multiplexer = await RedisClient.ConnectAsync(
            () => RedisClient.Configure(options, _endPoint, $"rporleans-{Environment.ProcessId}", subscribes: false, _gate, new FailureListener(this)),
            _time,
            _stopping.Token);
        if (multiplexer is not null)
        {
            _server = multiplexer.GetServer(_endPoint);
            _database = multiplexer.GetDatabase();
            _multiplexer = multiplexer;
        }
    }

    private void OnFailed(RedisConnectionException failure)
    {
        lock (_lock)
        {
            if (ReferenceEquals(failure, _told) || !_untold.TryDequeue(out var ended))
            {
                return; // told once more; or given up while it waited for its turn to connect, which says nothing of Redis
            }

            _told = failure;
            Lost();

            if (++_failuresSinceLost > MostLostTogether || failure is { FailureType: ConnectionFailureType.UnableToConnect, InnerException: SocketException })
            {
                _lostAt = null; // it is not back just now
            }

            if (!ended.IsCondemned) // else it is we who closed it, and know better why
            {
                // The library waits less long for a handshake than we do.
                var late = failure is { FailureType: ConnectionFailureType.UnableToConnect, InnerException: null } && _gate.IsInHandshake;
                Explain(late ? OriginFault.TimedOut : RedisErrors.FaultOf(failure.FailureType, failure.InnerException), (failure.InnerException as OriginException)?.InnerException?.Message);
            }
        }
    }

    // What Redis said counts until two in a row say nothing: one may only have been slow, on a busy machine.
    private void Explain(OriginFault fault, string? reason)
    {
        _wordless = fault == OriginFault.Unreachable ? _wordless + 1 : 0;
        if (_wordless != 1 || _fault is not (OriginFault.Refused or OriginFault.Untrusted))
        {
            (_fault, _reason) = (fault, reason);
        }
    }

    private void OnSocket(Socket? socket)
    {
        Interlocked.Increment(ref _attempts);
        lock (_lock)
        {
            _current = new Attempt(socket, _time.GetTimestamp());
            _untold.Enqueue(_current);
            if (_untold.Count > MostUntold) _untold.Dequeue();
            Lost();
        }
    }

    private void Report()
    {
        var fault = Fault;
        if (fault == _logged || (_logged is null && fault == OriginFault.Unreachable && _time.GetElapsedTime(_started) < RedisClient.ConnectTimeout))
        {
            return; // nothing new; or it has only just begun to connect
        }

        _logged = fault;
        switch (fault)
        {
            case OriginFault.None:
                LogConnected();
                break;
            case OriginFault.Refused:
                LogRefused();
                break;
            case OriginFault.Untrusted:
                LogUntrusted(_reason);
                break;
            default:
                LogLost(fault);
                break;
        }
    }

    [LoggerMessage(EventId = 100, Level = LogLevel.Information, Message = "Connected to Redis")]
    private partial void LogConnected();

    [LoggerMessage(EventId = 101, Level = LogLevel.Warning, Message = "No connection to Redis ({Fault}); connecting again until there is one")]
    private partial void LogLost(OriginFault fault);

    [LoggerMessage(EventId = 102, Level = LogLevel.Error, Message = "Redis refused the login; check REDIS_USER and REDIS_PASSWORD")]
    private partial void LogRefused();

    [LoggerMessage(EventId = 103, Level = LogLevel.Error, Message = "Redis is not trusted, and nothing was sent to it; check REDIS_TLS_CA, REDIS_HOST and Redis's certificate: {Reason}")]
    private partial void LogUntrusted(string? reason);

    /// <summary>A socket that was let through to connect; of its end the library may tell when the next is connected.</summary>
    private sealed class Attempt(Socket? socket, long since)
    {
        public Socket? Socket => socket;

        public long Since => since;

        /// <summary>It is we who closed it.</summary>
        public volatile bool IsCondemned;
    }

    /// <summary>Hears of each connection that failed, through the library's logger.</summary>
    private sealed class FailureListener(RedisConnection owner) : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (exception is RedisConnectionException failure)
            {
                owner.OnFailed(failure);
            }
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }
    }
}
