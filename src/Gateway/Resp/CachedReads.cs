using RpOrleans.Gateway.Resp.Commands;
using RpOrleans.Gateway.Resp.Upstream;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Resp;

/// <summary>The reads that are answered from the cache.</summary>
internal enum CachedRead : byte
{
    /// <summary>Not one of them.</summary>
    None,
    Get,
    MGet,
    Exists,
    StrLen,
    GetRange,
}

/// <summary>Answers reads from the cache, in Redis's words.</summary>
internal sealed class CachedReads(CacheOptions options, GatewayMetrics metrics)
{
    private const string WrongType = "WRONGTYPE Operation against a key holding the wrong kind of value";

    /// <summary>What the server's table says of all of them, as far as it matters here.</summary>
    public static Command Harmless { get; } = new()
    {
        Name = "get", Arity = 2, Writes = false, Blocks = false, Dangerous = false, Short = false, Keys = [], KeysIncomplete = false, Subcommands = NameTable<Command>.Empty,
    };

    /// <summary>Which read a request is, if the cache can answer it. One with too few words, or too many, is left to Redis, which says so.</summary>
    public CachedRead Recognize(in Request request)
    {
        var read = KindOf(request);
        for (var i = 1; read != CachedRead.None && i <= KeysOf(read, request); i++)
        {
            if (request[i].Length > options.MaximumKeyBytes)
            {
                return CachedRead.None;
            }
        }

        return read;
    }

    /// <summary>How many keys it asks for; they come first.</summary>
    public static int KeysOf(CachedRead read, in Request request) => read is CachedRead.MGet or CachedRead.Exists ? request.Count - 1 : 1;

    /// <summary>Answers the first of what has arrived, as long as it is plain reads of what is held in this process.</summary>
    /// <param name="received">What has arrived, from the beginning of a request.</param>
    /// <param name="router">Knows what is held.</param>
    /// <param name="output">Where the replies go.</param>
    /// <param name="protocol">The client's version.</param>
    /// <returns>How many bytes of it have been answered.</returns>
    public int AnswerHits(ReadOnlySpan<byte> received, Router router, ReplyOutput output, int protocol)
    {
        var (answered, hits, absent) = (0, 0, 0);
        while (output.Gathered < ReplyOutput.Much && PlainGet.TryRead(received[answered..], out var key, out var length)
               && key.Length <= options.MaximumKeyBytes && router.TryHit(key, out var hit) && hit.Status is LookupStatus.Found or LookupStatus.Absent)
        {
            answered += length;
            if (hit.Status == LookupStatus.Found)
            {
                hits++;
                output.WriteBulk(hit.Value.Span);
            }
            else
            {
                absent++;
                output.WriteNull(protocol);
            }
        }

        metrics.Count(GatewayOutcome.Hit, hits);
        metrics.Count(GatewayOutcome.Absent, absent);
        return answered;
    }

    /// <summary>Writes the reply.</summary>
    /// <param name="read">The read.</param>
    /// <param name="request">Its words.</param>
    /// <param name="answers">What is known of its keys.</param>
    /// <param name="output">Where the reply goes.</param>
    /// <param name="protocol">The client's version.</param>
    /// <returns>Whether there is one: not for a value that only Redis can give; nothing is written then.</returns>
    public bool TryReply(CachedRead read, in Request request, ReadOnlySpan<KeyAnswer> answers, ReplyOutput output, int protocol)
    {
        foreach (ref readonly var answer in answers)
        {
            var routed = answer.Routed;
            if (routed.Fault != RouteFault.None || routed.Answer.Status is LookupStatus.Failed or LookupStatus.Miss)
            {
                metrics.Count(GatewayOutcome.Failed);
                output.WriteError(UpstreamErrors.TextOf(routed));
                return true;
            }

            if (routed.Answer.Status == LookupStatus.TooLarge && read != CachedRead.Exists)
            {
                return false;
            }
        }

        foreach (ref readonly var answer in answers)
        {
            Count(answer.Routed.Answer);
        }

        switch (read)
        {
            case CachedRead.MGet:
                output.WriteArrayHead(answers.Length);
                foreach (ref readonly var answer in answers)
                {
                    WriteValue(output, answer, protocol);
                }

                return true;
            case CachedRead.Exists:
                var there = 0;
                foreach (ref readonly var answer in answers)
                {
                    there += answer.Routed.Answer.Status == LookupStatus.Absent ? 0 : 1;
                }

                output.WriteInteger(there);
                return true;
            default:
                if (answers[0].Routed.Answer.Status == LookupStatus.WrongType)
                {
                    output.WriteError(WrongType);
                }
                else
                {
                    WriteOne(read, request, answers[0], output, protocol);
                }

                return true;
        }
    }

    private static CachedRead KindOf(in Request request)
    {
        var words = request.Count;
        return request.Name.Length switch
        {
            3 when words == 2 && request.Is(0, "GET"u8) => CachedRead.Get,
            4 when words > 1 && request.Is(0, "MGET"u8) => CachedRead.MGet,
            6 when words > 1 && request.Is(0, "EXISTS"u8) => CachedRead.Exists,
            6 when words == 2 && request.Is(0, "STRLEN"u8) => CachedRead.StrLen,
            6 when IsRange(request) && request.Is(0, "SUBSTR"u8) => CachedRead.GetRange,
            8 when IsRange(request) && request.Is(0, "GETRANGE"u8) => CachedRead.GetRange,
            _ => CachedRead.None,
        };
    }

    private static bool IsRange(in Request request) => request.Count == 4 && Digits.TryParse(request[2], out _) && Digits.TryParse(request[3], out _);

    private void Count(in Lookup lookup) => metrics.Count(lookup.Status switch
    {
        LookupStatus.Absent => GatewayOutcome.Absent,
        LookupStatus.WrongType => GatewayOutcome.Rejected,
        _ => lookup.Source == LookupSource.Cache ? GatewayOutcome.Hit : GatewayOutcome.Miss,
    });

    private static void WriteOne(CachedRead read, in Request request, in KeyAnswer answer, ReplyOutput output, int protocol)
    {
        switch (read)
        {
            case CachedRead.Get:
                WriteValue(output, answer, protocol);
                break;
            case CachedRead.StrLen:
                output.WriteInteger(answer.Value.Length);
                break;
            default:
                output.WriteBulk(Range(answer.Value.Span, request));
                break;
        }
    }

    private static void WriteValue(ReplyOutput output, in KeyAnswer answer, int protocol)
    {
        if (answer.Routed.Answer.Status == LookupStatus.Found)
        {
            output.WriteBulk(answer.Value.Span);
        }
        else
        {
            output.WriteNull(protocol);
        }
    }

    /// <summary>As <c>getrangeCommand</c>: both ends count, and from the end if negative.</summary>
    private static ReadOnlySpan<byte> Range(ReadOnlySpan<byte> value, in Request request)
    {
        Digits.TryParse(request[2], out var from);
        Digits.TryParse(request[3], out var to);
        if (value.IsEmpty || (from < 0 && to < 0 && from > to))
        {
            return [];
        }

        from = Math.Max(0, from < 0 ? from + value.Length : from);
        to = Math.Min(value.Length - 1, Math.Max(0, to < 0 ? to + value.Length : to));
        return from > to ? [] : value[(int)from..((int)to + 1)];
    }
}
