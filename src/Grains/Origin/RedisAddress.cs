using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Grains.Origin;

// All sentinels are asked all the time, over connections that stay: each may have missed a failover. A failover has a number
// (its configuration epoch), and the highest one is right. GET-MASTER-ADDR-BY-NAME names the new master as soon as it was
// promoted; SENTINEL MASTER, which has the number, only when all of its replicas follow it (redis.io, "Sentinel").

/// <summary>Where Redis is: as <c>REDIS_HOST</c> says, or the server that the sentinels call the master now.</summary>
internal sealed partial class RedisAddress : IAsyncDisposable
{
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan _atMost = TimeSpan.FromMilliseconds(500);

    /// <summary>For how long nobody may have named the latest master before one from an earlier failover is believed again.</summary>
    private static readonly TimeSpan _forgetEpoch = TimeSpan.FromSeconds(5);

    private readonly RedisOptions _options;
    private readonly ILogger _logger;
    private readonly TimeProvider _time = TimeProvider.System; // failovers keep to no clock that tests hold in their hand
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _asking;
    private volatile Server? _current;
    private long _epoch = -1;
    private long _namedAt;
    private bool _silent;

    /// <param name="options">What is set.</param>
    /// <param name="logger">Told of each change.</param>
    public RedisAddress(RedisOptions options, ILogger logger)
    {
        (_options, _logger) = (options, logger);
        if (options.Sentinel is null)
        {
            _current = new Server(options.Host!, options.Port);
            _asking = Task.CompletedTask;
        }
        else
        {
            _asking = Task.Run(() => AskAsync(options.Sentinel));
        }
    }

    /// <summary>The server to connect to; <see langword="null"/> until a sentinel has named it.</summary>
    public Server? Current => _current;

    /// <summary>Whether it may change, and must be a master.</summary>
    public bool IsMaster => _options.Sentinel is not null;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _asking;
        _stopping.Dispose();
    }

    private async Task AskAsync(SentinelList list)
    {
        var sentinels = list.Sentinels.Select(server => new Sentinel(_options, list, server)).ToArray();
        while (!_stopping.IsCancellationRequested)
        {
            var answers = await Task.WhenAll(sentinels.Select(sentinel => sentinel.AskAsync(_atMost)));
            Judge(answers);
            await Task.Delay(_period, _time, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Array.ForEach(sentinels, sentinel => sentinel.Dispose());
    }

    private void Judge(SentinelAnswer[] answers)
    {
        var best = answers.Where(answer => answer.Master is not null).DefaultIfEmpty().MaxBy(answer => answer.Epoch);
        if (best.Master is not { } master)
        {
            if (!_silent)
            {
                _silent = true;
                LogNoMaster(string.Join("; ", answers.Select(answer => answer.Problem).Distinct()));
            }

            return; // the last one that was named is as good a guess as any
        }

        if (best.Epoch < _epoch && _time.GetElapsedTime(_namedAt) < _forgetEpoch)
        {
            return; // from somebody who has missed the last failover
        }

        (_epoch, _namedAt) = (best.Epoch, _time.GetTimestamp());
        if (master != _current || _silent)
        {
            _silent = false;
            _current = master;
            LogMaster(master.Host, master.Port);
        }
    }

    [LoggerMessage(EventId = 104, Level = LogLevel.Information, Message = "The sentinels name {Host}:{Port} as the master")]
    private partial void LogMaster(string host, int port);

    [LoggerMessage(EventId = 105, Level = LogLevel.Warning, Message = "No sentinel names a master ({Problem}); the last one known is kept to")]
    private partial void LogNoMaster(string problem);

    /// <summary>One sentinel, and the connection to it.</summary>
    private sealed class Sentinel(RedisOptions options, SentinelList list, Server server) : IDisposable
    {
        private SideConnection? _connection;

        public async Task<SentinelAnswer> AskAsync(TimeSpan atMost)
        {
            try
            {
                if (_connection is null)
                {
                    _connection = await SideConnection.OpenAsync(options, server, atMost).ConfigureAwait(false);
                    await _connection.LogInAsync(null, options.SentinelPassword, atMost).ConfigureAwait(false);
                }

                var details = await _connection.AskAsync(atMost, "SENTINEL", "MASTER", list.Master).ConfigureAwait(false);
                var address = await _connection.AskAsync(atMost, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", list.Master).ConfigureAwait(false);
                if (details.Error is { } error)
                {
                    return new SentinelAnswer(null, 0, error.Contains("No such master", StringComparison.Ordinal) ? "a sentinel does not know this master" : "a sentinel refuses to say");
                }

                return address.Elements is [{ } host, { } port] && int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= IPEndPoint.MaxPort
                    ? new SentinelAnswer(new Server(host, number), EpochIn(details.Elements), null)
                    : new SentinelAnswer(null, 0, "a sentinel does not know this master");
            }
            catch (OriginException failure)
            {
                Dispose();
                return new SentinelAnswer(null, 0, $"a sentinel cannot be asked: {failure.Fault}{(failure.Fault == OriginFault.Untrusted ? $", {failure.InnerException?.Message}" : "")}");
            }
        }

        public void Dispose()
        {
            _connection?.Dispose();
            _connection = null;
        }

        private static long EpochIn(string?[] fields) =>
            Array.IndexOf(fields, "config-epoch") is >= 0 and var at && at + 1 < fields.Length && long.TryParse(fields[at + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var epoch)
                ? epoch
                : 0;
    }

    private readonly record struct SentinelAnswer(Server? Master, long Epoch, string? Problem);
}
