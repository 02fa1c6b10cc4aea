using System.Globalization;
using Microsoft.Extensions.Logging;
using RpOrleans.Grains.Origin;
using RpOrleans.Grains.Settings;
using StackExchange.Redis;

namespace RpOrleans.Grains.Coherence;

// Redis remembers which keys were read, at most tracking-table-max-keys of them. When there are more it picks some at random,
// says that they have changed, and forgets them: nothing stale is served for it, but what was cached has to be read again. A
// key that a node has dropped stays in the table until it changes, so there are more of them than the cluster holds entries.

/// <summary>Watches how full Redis's table of tracked keys is, and says so before it overflows.</summary>
internal sealed partial class TrackingTable : IAsyncDisposable
{
    private const double Full = 0.9;
    private const double NotFullAnyMore = 0.8;

    private static readonly TimeSpan _period = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _limitPeriod = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _warnAgain = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan _atMost = TimeSpan.FromSeconds(1);

    private readonly RedisOptions _redis;
    private readonly RedisAddress _address;
    private readonly CacheOptions _cache;
    private readonly RedisConnection _data;
    private readonly Session _session;
    private readonly NodeMetrics _metrics;
    private readonly IClusterMembershipService _membership;
    private readonly ILogger _logger;
    private readonly TimeProvider _time = TimeProvider.System; // Redis's figures age by no clock that tests hold in their hand
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _watching;
    private long? _limit;
    private (long Epoch, long At)? _limitAsked;
    private (long Limit, int Nodes)? _capacityTold;
    private bool _full;
    private long? _warnedAt;

    public TrackingTable(
        RedisOptions redis,
        RedisAddress address,
        CacheOptions cache,
        RedisConnection data,
        Session session,
        NodeMetrics metrics,
        IClusterMembershipService membership,
        ILogger<TrackingTable> logger)
    {
        (_redis, _address, _cache, _data, _session, _metrics, _membership, _logger) = (redis, address, cache, data, session, metrics, membership, logger);
        _watching = Task.Run(WatchAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _watching;
        _stopping.Dispose();
    }

    private async Task WatchAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await LookAsync();
            }
            catch (Exception failure) when (RedisErrors.IsFailure(failure))
            {
                // What ails Redis is said elsewhere; the figures of before stand until the next round.
            }

            await Task.Delay(_period, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LookAsync()
    {
        if (_session.Basis == Freshness.Expiry)
        {
            _metrics.TrackingTable = null;
        }

        if (_session.Basis != Freshness.Tracking || _data.Database is not { } database)
        {
            return;
        }

        var epoch = _data.Epoch;
        if (_full || _limitAsked is not { } asked || asked.Epoch != epoch || _time.GetElapsedTime(asked.At) > _limitPeriod)
        {
            try
            {
                _limit = await LimitAsync();
                _limitAsked = (epoch, _time.GetTimestamp());
                CompareWithCapacity();
            }
            catch (OriginException)
            {
                // asked again in the next round
            }
        }

        var stats = (string?)await database.ExecuteAsync("INFO", ["stats"], CommandFlags.NoRedirect).Observed().WaitAsync(_atMost, _time);
        if (RedisInfo.Number(stats, "tracking_total_keys") is not { } keys)
        {
            return;
        }

        _metrics.TrackingTable = new TrackingTableFigures(keys, RedisInfo.Number(stats, "tracking_total_items"), _limit);
        Judge(keys);
    }

    /// <summary>The limit; 0 for none, <see langword="null"/> when Redis does not say.</summary>
    // Asked over a connection of its own: with CONFIG at hand, the library would ask for much else.
    private async Task<long?> LimitAsync()
    {
        var server = _address.Current ?? throw new OriginException(OriginFault.Unreachable);
        using var connection = await SideConnection.OpenAsync(_redis, server, _atMost);
        await connection.LogInAsync(_redis.User, _redis.Password, _atMost);
        var reply = await connection.AskAsync(_atMost, "CONFIG", "GET", "tracking-table-max-keys");
        return reply.Elements is [_, { } text] && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : null;
    }

    private void Judge(long keys)
    {
        if (_limit is not ({ } limit and > 0) || keys < NotFullAnyMore * limit)
        {
            _full = false;
        }
        else if (!_full && keys >= Full * limit)
        {
            _full = true;
            if (_warnedAt is not { } warned || _time.GetElapsedTime(warned) > _warnAgain)
            {
                _warnedAt = _time.GetTimestamp();
                LogFull(keys, limit);
            }
        }
    }

    private void CompareWithCapacity()
    {
        var nodes = _membership.CurrentSnapshot.Members.Values.Count(member => member.Status == SiloStatus.Active);
        if (_limit is { } limit and > 0 && (long)nodes * _cache.MaximumEntries > limit && _capacityTold != (limit, nodes))
        {
            _capacityTold = (limit, nodes);
            LogTooSmall(nodes, _cache.MaximumEntries, limit);
        }
    }

    [LoggerMessage(EventId = 130, Level = LogLevel.Warning, Message = "Redis tracks {Keys} keys of {Limit} at most; beyond, it forgets keys at random, and they are read again. Let it track more: CONFIG SET tracking-table-max-keys N, and the same in redis.conf (0: no limit; about 100 bytes a key, 70 more for each further node that read it)")]
    private partial void LogFull(long keys, long limit);

    [LoggerMessage(EventId = 131, Level = LogLevel.Warning, Message = "{Nodes} node(s) may hold {Capacity} entries each (RECORD_CAPACITY), but Redis tracks {Limit} keys at most (tracking-table-max-keys); beyond, it forgets keys at random, and they are read again")]
    private partial void LogTooSmall(int nodes, int capacity, long limit);
}

/// <summary>How full Redis's table of tracked keys was when it was last looked at.</summary>
/// <param name="Keys">Keys in it.</param>
/// <param name="Items">Pairs of a key and a connection that read it.</param>
/// <param name="Limit">Most keys; 0 for no limit, <see langword="null"/> when Redis does not say.</param>
internal sealed record TrackingTableFigures(long Keys, long? Items, long? Limit);
