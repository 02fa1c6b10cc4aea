using System.Globalization;
using RpOrleans.Checker.Judging;

namespace RpOrleans.Checker;

/// <summary>One writer: writes and deletes keys at Redis and through gateways, one or several at a time, for ever or with a time to live.</summary>
internal sealed class Writer(int number, Options options, KeySpace keys, IReadOnlyList<GatewayPorts> gateways, int redisPort)
{
    /// <summary>So many keys are written together at most.</summary>
    private const int Together = 5;

    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(15);
    private static readonly int[] _timesToLive = [150, 400, 1_000, 3_000];

    private readonly Random _random = new((options.Seed * 1_000_003) + number);
    private readonly string _name = $"w{number}";

    /// <summary>What was read behind writes.</summary>
    public List<Read> Reads { get; } = [];

    public async Task RunAsync(CancellationToken stopping)
    {
        using var http = new HttpWrites(_name, gateways);
        using var resp = new RespWrites(_name, gateways, protocol: 2 + (number % 2), Reads);
        using var redis = new RedisLink(redisPort);
        var pace = new Pace(_period);
        while (!stopping.IsCancellationRequested)
        {
            // Every decision is drawn, whatever comes of it, so that the same seed draws the same.
            var (where, face, kind, gateway, chance) = (_random.NextDouble(), _random.NextDouble(), _random.NextDouble(), _random.Next(gateways.Count), _random.Next(int.MaxValue));
            var form = where < options.Outside ? WriteForm.AtRedis
                : face >= options.Resp ? WriteForm.Http
                : kind < 0.5 ? WriteForm.Resp
                : kind < 0.75 ? WriteForm.Pipeline
                : WriteForm.Transaction;
            var wanted = Enumerable.Range(0, Together).Select(_ => NextChange()).ToArray();
            var count = form is WriteForm.Pipeline or WriteForm.Transaction ? 2 + (chance % (Together - 1)) : 1;
            Write[] writes = [.. wanted.Take(count).Where(change => keys.TryHold(change.Key)).Select(change => Begin(change, form, gateway))];
            if (writes.Length > 0)
            {
                var ended = form switch
                {
                    WriteForm.AtRedis => [await AtRedisAsync(redis, writes[0])],
                    WriteForm.Http => [await http.SendAsync(writes[0], posts: chance % 2 == 0)],
                    WriteForm.Resp => [await resp.SendAsync(writes[0])],
                    WriteForm.Pipeline => await resp.SendTogetherAsync(writes, readsBetween: chance % 2 == 0),
                    _ => await resp.SendAsTransactionAsync(writes, atOnce: chance % 2 == 0),
                };
                Array.ForEach(ended, keys.End);
            }

            await pace.NextAsync();
        }
    }

    /// <summary>How a write is said to Redis.</summary>
    public static string[] Command(Write write, string writer) =>
        write.Deletes ? ["DEL", Values.Key(write.Key)]
        : write.TimeToLive > TimeSpan.Zero ? ["SET", Values.Key(write.Key), Values.Value(write.Key, write.Version, writer), "PX", Milliseconds(write)]
        : ["SET", Values.Key(write.Key), Values.Value(write.Key, write.Version, writer)];

    public static string Milliseconds(Write write) => write.TimeToLive.TotalMilliseconds.ToString(CultureInfo.InvariantCulture);

    /// <summary>The writer heard so much of a write.</summary>
    public static Write Answered(Write write, bool acknowledged, int status)
    {
        var now = Clock.Now;
        return write with
        {
            Took = now - write.Start,
            Outcome = acknowledged ? Outcome.Acknowledged : Outcome.Unsettled,
            End = acknowledged ? now : TimeSpan.MaxValue,
            Status = (short)status,
        };
    }

    private (int Key, bool Deletes, TimeSpan Life) NextChange()
    {
        var (key, deletes, lives, life) = (_random.Next(keys.Count), _random.NextDouble() < 0.12, _random.NextDouble() < 0.2, _random.Next(_timesToLive.Length));
        return (key, deletes, lives && !deletes ? TimeSpan.FromMilliseconds(_timesToLive[life]) : TimeSpan.Zero);
    }

    private Write Begin((int Key, bool Deletes, TimeSpan Life) change, WriteForm form, int gateway)
    {
        var write = new Write(
            Clock.Now, TimeSpan.MaxValue, TimeSpan.Zero, (ushort)change.Key, keys.NextVersion(change.Key), form == WriteForm.AtRedis ? History.Redis : (byte)gateway,
            change.Deletes, change.Life, Outcome.Unsettled, Status: 0, form);
        keys.Begin(write);
        return write;
    }

    private async Task<Write> AtRedisAsync(RedisLink redis, Write write)
    {
        try
        {
            await redis.CommandAsync(Command(write, _name));
            return Answered(write, acknowledged: true, 0);
        }
        catch (IOException)
        {
            return Answered(write, acknowledged: false, 0);
        }
    }
}
