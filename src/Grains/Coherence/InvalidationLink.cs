using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RpOrleans.Grains.Lru;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Settings;
using StackExchange.Redis;

namespace RpOrleans.Grains.Coherence;

// Redis remembers the keys that were read over the data connection and tells of their changes over the other one (CLIENT
// TRACKING … REDIRECT). Without NOLOOP: with it, it tells neither of keys that it evicts nor of those that fall out of its
// table while this very connection is being served. Nothing is assumed of the library's events: a set-up and a heartbeat
// count only if neither connection was made anew meanwhile.

/// <summary>Keeps the session with Redis: sets it up, has it confirmed, and begins anew when it is lost.</summary>
internal sealed partial class InvalidationLink : IAsyncDisposable
{
    /// <summary>After how many times the bound without a sign of life the invalidation connection is replaced.</summary>
    private const int SilentBounds = 2;

    private static readonly TimeSpan _setUpAgain = TimeSpan.FromMilliseconds(20);

    private readonly CoherenceOptions _options;
    private readonly RedisOptions _redis;
    private readonly RedisAddress _address;
    private readonly RedisConnection _data;
    private readonly Session _session;
    private readonly HeldEntries _entries;
    private readonly ILogger _logger;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly InvalidationSubscription? _subscription;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _running;
    private Opened? _open;
    private long _judged = -1;
    private (long Epoch, long Since) _unsubscribed = (-1, 0);
    private (string? Run, string? Replication)? _dataSet;
    private string? _reported;
    private long _heard = Stopwatch.GetTimestamp();

    public InvalidationLink(
        CoherenceOptions options,
        RedisOptions redis,
        RedisAddress address,
        RedisConnection data,
        Session session,
        HeldEntries entries,
        ILogger<InvalidationLink> logger,
        IHostApplicationLifetime lifetime)
    {
        (_options, _redis, _address, _data, _session, _entries, _logger, _lifetime) = (options, redis, address, data, session, entries, logger, lifetime);
        session.Await();
        if (options.Mode != CoherenceMode.Expiry)
        {
            _subscription = new InvalidationSubscription(redis, address, Invalidate);
        }

        _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        if (_subscription is not null)
        {
            await _subscription.DisposeAsync();
        }

        _stopping.Dispose();
    }

    private void Invalidate(byte[]? key)
    {
        if (key is null)
        {
            _entries.InvalidateAll();
        }
        else
        {
            _entries.Invalidate(key);
        }
    }

    private async Task RunAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await GoOnAsync();
            }
            catch (Exception failure) when (RedisErrors.IsFailure(failure))
            {
                // Nothing is confirmed by it; the next round tries again.
            }
            catch (Exception failure)
            {
                LogFailed(failure.GetType().Name); // nor by this; but without another round nothing would ever be confirmed again
            }

            var pause = _open is null && _judged != _data.Epoch ? _setUpAgain : _options.Bound / 5;
            await Task.Delay(pause, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task GoOnAsync()
    {
        var epoch = _subscription?.Epoch ?? 0;
        if (_subscription is not null && Stopwatch.GetElapsedTime(_heard) > SilentBounds * _options.Bound && _subscription.Subscribed)
        {
            _heard = Stopwatch.GetTimestamp();
            if (await SecondOpinion.IsDeadAsync(_redis, _address, _options.Bound, () => _subscription.PingAsync(_options.Bound)))
            {
                _subscription.Replace(epoch);
            }
        }

        _subscription?.Follow();
        if (_data.Database is not { } database)
        {
            return;
        }

        if (_subscription is null)
        {
            await GoByExpiryAsync(database);
        }
        else if (_open is { } open && open.Data == _data.Epoch && open.Subscription == _subscription.Epoch)
        {
            await ConfirmAsync(database, open);
        }
        else if (_judged != _data.Epoch)
        {
            await SetUpAsync(database, _subscription);
        }
        else
        {
            await GoByExpiryAsync(database); // it cannot track; whether it is still the same is to be seen
        }
    }

    /// <summary>Begins a session: subscribed first, then tracking, and only then is anything kept under it.</summary>
    private async Task SetUpAsync(IDatabase database, InvalidationSubscription subscription)
    {
        _open = null;
        if (_session.Basis != Freshness.Expiry)
        {
            _session.Break(); // what RECORD_EXPIRY bounds does not rest on a connection
        }

        var (data, pushes) = (_data.Epoch, subscription.Epoch);
        long? found = null;
        try
        {
            await subscription.SubscribeAsync().WaitAsync(_options.Bound);
            found = subscription.Subscribed ? await FindAsync(database, subscription.Name) : null;
            if (found is not { } id)
            {
                ReplaceIfStuck(subscription, pushes);
                return;
            }

            await AskAsync(database, "TRACKING", "ON", "REDIRECT", id);
            var dataSet = (await ReplicationAsync(database)).Id;
            if (data != _data.Epoch || pushes != subscription.Epoch)
            {
                return;
            }

            var number = _session.Open(() => data == _data.Epoch && pushes == subscription.Epoch);
            _entries.VoidLoads();
            _open = new Opened(number, data, pushes, id, dataSet);
            await ConfirmAsync(database, _open);
            Report("Redis tells of changes: what is cached is confirmed by tracking");
        }
        catch (RedisServerException refused) when (IsForGood(refused))
        {
            // Redis refuses, too, to tell a connection that has ended since it was found: then the next is found in its place.
            if (found is null || await FindAsync(database, subscription.Name) == found)
            {
                await CannotTrackAsync(database);
            }
        }
    }

    /// <summary>
    /// Closes an invalidation connection that Redis does not take for subscribed after so long: the library may have subscribed
    /// on the one before, which was closed at that moment (a sentinel closes all when it promotes a server), and does not again.
    /// </summary>
    private void ReplaceIfStuck(InvalidationSubscription subscription, long epoch)
    {
        if (_unsubscribed.Epoch != epoch)
        {
            _unsubscribed = (epoch, Stopwatch.GetTimestamp());
        }
        else if (Stopwatch.GetElapsedTime(_unsubscribed.Since) > SilentBounds * _options.Bound)
        {
            _unsubscribed = (epoch, Stopwatch.GetTimestamp());
            LogNotSubscribed(subscription.Subscribed);
            subscription.Replace(epoch);
        }
    }

    /// <summary>
    /// PING over the one connection, and after its PONG whether the other still tracks: together they say that everything has
    /// been told. And whether Redis still has the data set of before, and hears of its changes: a server can be made the
    /// replica of another while its connections stay as they are.
    /// </summary>
    private async Task ConfirmAsync(IDatabase database, Opened open)
    {
        var sent = Stopwatch.GetTimestamp();
        await _subscription!.PingAsync(_options.Bound);
        _heard = Stopwatch.GetTimestamp();
        var replication = ReplicationAsync(database).Observed();
        var tracks = IsOn(await AskAsync(database, "TRACKINGINFO"), open.Redirect);
        var (dataSet, cutOff) = await replication;
        if (!tracks || dataSet != open.DataSet)
        {
            _open = null;
            _session.Break();
            if (tracks)
            {
                LogAnotherDataSet();
            }

            return;
        }

        if (!cutOff && open.Data == _data.Epoch && open.Subscription == _subscription.Epoch)
        {
            _session.Confirm(open.Number, sent, _options.Bound);
        }
    }

    /// <summary>Whether Redis does not know the command, or does not let us use it; not that it is busy just now.</summary>
    private static bool IsForGood(RedisServerException refused) =>
        refused.Message.StartsWith("ERR", StringComparison.Ordinal) || refused.Message.StartsWith("NOPERM", StringComparison.Ordinal);

    private async Task CannotTrackAsync(IDatabase database)
    {
        if (_lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return; // it has been said
        }

        if (_options.Mode == CoherenceMode.Tracking)
        {
            LogMustTrack();
            Environment.ExitCode = 1;
            _lifetime.StopApplication();
        }
        else
        {
            await GoByExpiryAsync(database);
        }
    }

    private async Task GoByExpiryAsync(IDatabase database)
    {
        var epoch = _data.Epoch;
        var run = _judged == epoch ? _dataSet?.Run : await RunAsync(database);
        var dataSet = (run, (await ReplicationAsync(database)).Id);
        if (_judged == epoch && dataSet == _dataSet)
        {
            return;
        }

        if (_dataSet is not null && dataSet != _dataSet)
        {
            LogAnotherDataSet();
        }

        _session.OpenByExpiry(anotherDataSet: dataSet != _dataSet);
        (_dataSet, _judged) = (dataSet, epoch);
        Report(_options.Mode == CoherenceMode.Expiry
            ? "What is cached is fresh within RECORD_EXPIRY, as COHERENCE=expiry says"
            : "This Redis cannot tell of changes, or is not allowed to: what is cached is fresh within RECORD_EXPIRY");
    }

    /// <summary>What tells one Redis process from another.</summary>
    private async Task<string?> RunAsync(IDatabase database)
    {
        try
        {
            return RedisInfo.Field(await InfoAsync(database, "server"), "run_id");
        }
        catch (RedisServerException)
        {
            return Guid.NewGuid().ToString(); // it does not say: then each connection may be to another
        }
    }

    /// <summary>What tells one data set from another, and whether Redis is a replica that hears nothing of its master.</summary>
    private async Task<(string? Id, bool CutOff)> ReplicationAsync(IDatabase database)
    {
        try
        {
            var info = await InfoAsync(database, "replication");
            return (RedisInfo.Field(info, "master_replid"), RedisInfo.Field(info, "master_link_status") == "down");
        }
        catch (RedisServerException refused) when (IsForGood(refused))
        {
            return (null, false); // it does not say
        }
    }

    private async Task<string?> InfoAsync(IDatabase database, string section) =>
        (string?)await database.ExecuteAsync("INFO", [section], CommandFlags.NoRedirect).Observed().WaitAsync(_options.Bound);

    private async Task<long?> FindAsync(IDatabase database, string name)
    {
        var clients = (string?)await AskAsync(database, "LIST", "TYPE", "pubsub");
        long? newest = null; // one that Redis has not noticed the end of yet has a lower id
        foreach (var client in clients?.Split('\n') ?? [])
        {
            var fields = client.Split(' ');
            if (fields.Contains($"name={name}") && fields[0].StartsWith("id=", StringComparison.Ordinal)
                && long.TryParse(fields[0].AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id > (newest ?? 0))
            {
                newest = id;
            }
        }

        return newest;
    }

    private Task<RedisResult> AskAsync(IDatabase database, params object[] words) =>
        database.ExecuteAsync("CLIENT", words, CommandFlags.NoRedirect).Observed().WaitAsync(_options.Bound);

    /// <summary>Whether the reply to <c>CLIENT TRACKINGINFO</c> says that changes are told of, to this connection.</summary>
    private static bool IsOn(RedisResult reply, long redirect)
    {
        var info = reply.ToDictionary();
        return info.TryGetValue("flags", out var flags) && (string[]?)flags is { } set && set.Contains("on") && !set.Contains("broken_redirect")
            && info.TryGetValue("redirect", out var to) && (long)to == redirect;
    }

    private void Report(string what)
    {
        if (what != _reported)
        {
            _reported = what;
            LogBasis(what);
        }
    }

    [LoggerMessage(EventId = 120, Level = LogLevel.Information, Message = "{What}")]
    private partial void LogBasis(string what);

    [LoggerMessage(EventId = 122, Level = LogLevel.Warning, Message = "Redis has another data set than before (run_id or master_replid differ): nothing that was cached counts as fresh")]
    private partial void LogAnotherDataSet();

    [LoggerMessage(EventId = 124, Level = LogLevel.Warning, Message = "Redis does not show the invalidation connection as subscribed (the client library does: {Subscribed}); it is made anew")]
    private partial void LogNotSubscribed(bool subscribed);

    [LoggerMessage(EventId = 123, Level = LogLevel.Error, Message = "The session with Redis failed in a way that it should not ({Failure}); it is begun anew")]
    private partial void LogFailed(string failure);

    [LoggerMessage(EventId = 121, Level = LogLevel.Critical, Message = "COHERENCE=tracking, but this Redis cannot tell of changes, or is not allowed to (it takes Redis 6.2 and the commands CLIENT TRACKING, TRACKINGINFO and LIST, and SUBSCRIBE)")]
    private partial void LogMustTrack();

    /// <summary>A session that is set up: its number, the epochs of its connections, to which connection is told, and of which data set.</summary>
    private sealed record Opened(int Number, long Data, long Subscription, long Redirect, string? DataSet);
}
