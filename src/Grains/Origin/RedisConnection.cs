using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using RpOrleans.Grains.Settings;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace RpOrleans.Grains.Origin;

/// <summary>The one connection over which Redis is asked: made in the background, and made anew for as long as it takes.</summary>
// The library reconnects by itself; what it does not do, or not as we need it, is added where it lets us in:
// - its event for a failed connection comes once until the next success, so that Redis "back, but refusing the login" looks
//   like "still down". It logs each failure, so its logger is where we learn of them;
// - after each loss it connects at once, however often that is: before each socket we wait until some time has passed;
// - a socket that is silent is replaced late, and one that trickles never: we keep the socket, and close it.
internal sealed partial class RedisConnection : IAsyncDisposable
{
    /// <summary>How long a connect may take, the login included, before the next is tried.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(0.5);

    /// <summary>The least time between two connects.</summary>
    private static readonly TimeSpan _connectSpacing = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan _heartbeat = TimeSpan.FromMilliseconds(100);

    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Task _connecting;
    private volatile ConnectionMultiplexer? _multiplexer;
    private volatile IDatabase? _database;
    private volatile IServer? _server;

    private readonly Lock _lock = new();
    private volatile Socket? _socket;
    private long _socketSince;
    private long? _lostAt;
    private bool _condemned;
    private readonly object[]? _login;
    private volatile Socket? _loggedIn;
    private volatile Task _loggingIn = Task.CompletedTask;
    private OriginFault _fault = OriginFault.Unreachable;
    private OriginFault? _logged;
    private readonly long _started;

    private RedisConnection(RedisOptions options, ILogger logger, TimeProvider time)
    {
        (_logger, _time, _started) = (logger, time, time.GetTimestamp());
        _login = options switch
        {
            { Password: null } => null,
            { User: null } => [options.Password],
            _ => [options.User, options.Password],
        };
        _connecting = Task.Run(() => ConnectAsync(options));
    }

    /// <summary>Starts connecting, and returns at once, whatever Redis does.</summary>
    /// <param name="options">Where Redis is and how to log in.</param>
    /// <param name="logger">Told of each change of state, once.</param>
    /// <param name="time">The clock.</param>
    /// <returns>A connection that may not be there yet.</returns>
    public static RedisConnection Start(RedisOptions options, ILogger logger, TimeProvider time) => new(options, logger, time);

    /// <summary>Where to send commands; <see langword="null"/> while there is no connection, of which <see cref="Fault"/> says why.</summary>
    public IDatabase? Database => IsUsable ? _database : null;

    /// <summary>Where to send writes: the same Redis, and if it is a replica the library says so instead of "no connection".</summary>
    public IServer? Server => IsUsable ? _server : null;

    /// <summary>Why there is no connection; <see cref="OriginFault.None"/> when there is one.</summary>
    public OriginFault Fault
    {
        get
        {
            lock (_lock) return Database is null ? _fault : OriginFault.None;
        }
    }

    /// <summary>Waits for the connection that follows one that was just lost; a connect usually takes a millisecond or two.</summary>
    /// <param name="atMost">How long ago it may have been lost or the connect begun, and how long it is waited for.</param>
    /// <returns>When there is one, or it is not worth waiting any longer.</returns>
    public async Task ReturnsWithinAsync(TimeSpan atMost)
    {
        var start = _time.GetTimestamp();
        while (Database is null && BeingMade(atMost) && _time.GetElapsedTime(start) < atMost)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(2), _time);
        }
    }

    /// <summary>Told by a command that the connection is gone, which may come before the library says so itself.</summary>
    public void Lost()
    {
        lock (_lock) _lostAt = _time.GetTimestamp();
    }

    /// <summary>Closes a socket over which nothing sensible comes any more; the library then makes another.</summary>
    /// <param name="why">What is wrong with it.</param>
    public void Replace(OriginFault why)
    {
        Socket? socket;
        lock (_lock)
        {
            (socket, _socket) = (_socket, null);
            _fault = why;
            _condemned = true;
        }

        socket?.Dispose();
    }

    /// <summary>Looks after the connection; called a few times a second.</summary>
    public void Tend()
    {
        if (_multiplexer is { IsConnected: true } && !IsUsable && _loggingIn.IsCompleted)
        {
            _loggingIn = LogInAsync();
        }

        bool stuck;
        lock (_lock)
        {
            stuck = Database is null && _socket is not null && _time.GetElapsedTime(_socketSince) > 2 * ConnectTimeout;
            if (Database is not null)
            {
                _fault = OriginFault.Unreachable; // what it is if it is lost, until the library says why
            }
        }

        if (stuck)
        {
            Replace(OriginFault.TimedOut); // connected, but the login is not answered
        }

        Report();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _connecting;
        if (_multiplexer is { } multiplexer)
        {
            await multiplexer.CloseAsync(allowCommandsToComplete: false);
            await multiplexer.DisposeAsync();
        }

        _stopping.Dispose();
    }

    private bool BeingMade(TimeSpan since)
    {
        // Between the loss and the next socket there is a moment in which the library has not begun yet.
        lock (_lock)
        {
            return (_lostAt is { } lost && _time.GetElapsedTime(lost) < since)
                || (_socket is not null && _time.GetElapsedTime(_socketSince) < since);
        }
    }

    private bool IsUsable => _multiplexer is { IsConnected: true } && (_login is null || (_loggedIn is { } socket && ReferenceEquals(socket, _socket)));

    // A login that is refused does not stop the library: where Redis lets anybody in, it would go on as the default user.
    private async Task LogInAsync()
    {
        var socket = _socket;
        try
        {
            await _database!.ExecuteAsync("AUTH", _login!, CommandFlags.NoRedirect).Observed().WaitAsync(ConnectTimeout, _time);
            _loggedIn = socket;
        }
        catch (RedisServerException failure) when (RedisErrors.FaultOf(failure.Kind) != OriginFault.Refused)
        {
            _loggedIn = socket; // there is nothing to log in to: it asks nobody for a password
        }
        catch (RedisServerException)
        {
            Replace(OriginFault.Refused);
        }
        catch (Exception failure) when (RedisErrors.IsFailure(failure))
        {
            // The connection went meanwhile; with the next one it begins anew.
        }
    }

    private async Task ConnectAsync(RedisOptions options)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                // Comes back after a success, or else after the time for a connect; from then on the library's heart beats.
                var multiplexer = await ConnectionMultiplexer.ConnectAsync(Configure(options));
                _server = multiplexer.GetServer(options.Host!, options.Port);
                _database = multiplexer.GetDatabase();
                _multiplexer = multiplexer;
                return;
            }
            catch (Exception failure) when (failure is RedisException or SocketException or TimeoutException)
            {
                await Task.Delay(ConnectTimeout, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private ConfigurationOptions Configure(RedisOptions options)
    {
        var endPoints = new EndPointCollection { { options.Host!, options.Port } };
        return Configure(options, endPoints[0]);
    }

    private ConfigurationOptions Configure(RedisOptions options, EndPoint endPoint) => new()
    {
        EndPoints = { endPoint },
        DefaultDatabase = options.Database,
        User = options.User,
        Password = options.Password,
        ClientName = $"rporleans-{Environment.ProcessId}",
        Protocol = RedisProtocol.Resp2,
        AbortOnConnectFail = false,
        ConnectRetry = 1,
        ConnectTimeout = (int)ConnectTimeout.TotalMilliseconds,
        // Deadlines are ours, and so is the end of a silent connection: the library's are only a last resort.
        AsyncTimeout = (int)Math.Max(4 * options.Timeout.TotalMilliseconds, 10_000),
        SyncTimeout = 1_000,
        HeartbeatInterval = _heartbeat,
        BacklogPolicy = BacklogPolicy.FailFast,
        ReconnectRetryPolicy = new ReconnectPolicy(Random.Shared.Next()),
        AllowAdmin = false,
        IncludeDetailInExceptions = false, // the detail is the key
        ConfigCheckSeconds = 1, // how soon the library learns that a replica was promoted; until then it sends it no writes
        TieBreaker = "",
        ConfigurationChannel = "",
        // Never ask Redis for other addresses, and do not open the second connection, which is for subscriptions.
        CommandMap = CommandMap.Create(["CLUSTER", "CONFIG", "SENTINEL", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"], available: false),
        Tunnel = new SocketGate(this, endPoint),
        LoggerFactory = new FailureListener(this),
    };

    private void OnFailed(RedisConnectionException failure)
    {
        lock (_lock)
        {
            _lostAt = failure.FailureType == ConnectionFailureType.UnableToConnect ? null : _time.GetTimestamp();
            if (!_condemned) // else it is we who closed it, and know better why
            {
                _fault = RedisErrors.FaultOf(failure.FailureType, failure.InnerException);
            }
        }
    }

    private void OnSocket(Socket? socket)
    {
        lock (_lock)
        {
            (_socket, _socketSince, _lostAt, _condemned) = (socket, _time.GetTimestamp(), null, false);
        }
    }

    private void Report()
    {
        var fault = Fault;
        if (fault == _logged || (_logged is null && fault == OriginFault.Unreachable && _time.GetElapsedTime(_started) < ConnectTimeout))
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

    /// <summary>When to connect again: after 0.2 to 0.3 s, no two processes in step.</summary>
    // No longer back-off: Redis is to be in use a second after it is back, and four connects a second harm nobody.
    private sealed class ReconnectPolicy(int seed) : IReconnectRetryPolicy
    {
        public bool ShouldRetry(long currentRetryCount, int timeElapsedMillisecondsSinceLastRetry)
        {
            // Asked at each heartbeat; the jitter must stay the same until it says yes.
            var jitter = (uint)HashCode.Combine(seed, currentRetryCount) % 100;
            return timeElapsedMillisecondsSinceLastRetry >= 200 + jitter;
        }
    }

    /// <summary>Passed by each socket before it connects: only to the address in the settings, and not too often.</summary>
    private sealed class SocketGate(RedisConnection owner, EndPoint allowed) : Tunnel
    {
        private readonly Lock _lock = new();
        private long? _last;

        public override async ValueTask BeforeSocketConnectAsync(EndPoint endPoint, ConnectionType connectionType, Socket? socket, CancellationToken cancellationToken)
        {
            if (!endPoint.Equals(allowed))
            {
                throw new SocketException((int)SocketError.AccessDenied);
            }

            var wait = Reserve();
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, owner._time, CancellationToken.None);
            }

            owner.OnSocket(socket);
        }

        private TimeSpan Reserve()
        {
            lock (_lock)
            {
                var wait = _last is { } last ? _connectSpacing - owner._time.GetElapsedTime(last) : TimeSpan.Zero;
                if (wait < TimeSpan.Zero) wait = TimeSpan.Zero;
                _last = owner._time.GetTimestamp() + (long)(wait.TotalSeconds * owner._time.TimestampFrequency);
                return wait;
            }
        }
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
