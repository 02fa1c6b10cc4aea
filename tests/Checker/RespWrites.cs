using RpOrleans.Checker.Judging;

namespace RpOrleans.Checker;

/// <summary>Writes through gateways in the Redis protocol, and reads behind the writes over the same connection.</summary>
internal sealed class RespWrites(string writer, IReadOnlyList<GatewayPorts> gateways, int protocol, List<Read> reads) : IDisposable
{
    private static readonly Reply _none = new('-', "no reply", []);

    private readonly RedisLink[] _links = [.. gateways.Select(gateway => new RedisLink(gateway.Resp, protocol))];

    /// <summary>Writes one key.</summary>
    /// <returns>What came of it.</returns>
    public async Task<Write> SendAsync(Write write) => (await AskAsync(write.Gateway, [Writer.Command(write, writer)])) is [var reply] ? Answered(write, reply) : Writer.Answered(write, false, 0);

    /// <summary>Sends writes together, and a read of each key behind its write: at once, or all at the end.</summary>
    /// <returns>What came of the writes.</returns>
    public async Task<Write[]> SendTogetherAsync(Write[] writes, bool readsBetween)
    {
        var sets = writes.Select(write => Writer.Command(write, writer));
        var gets = writes.Select(write => new[] { "GET", Values.Key(write.Key) });
        string[][] commands = readsBetween ? [.. sets.Zip(gets, (set, get) => new[] { set, get }).SelectMany(both => both)] : [.. sets, .. gets];
        var replies = await AskAsync(writes[0].Gateway, commands);
        Write[] ended = [.. writes.Select((write, i) => replies is null ? Writer.Answered(write, false, 0) : Answered(write, replies[readsBetween ? 2 * i : i]))];
        for (var i = 0; i < ended.Length; i++)
        {
            Note(ended[i], replies?[readsBetween ? (2 * i) + 1 : ended.Length + i]);
        }

        return ended;
    }

    /// <summary>Sends writes that Redis carries out together, and a read of the first key behind them.</summary>
    /// <returns>What came of the writes.</returns>
    public async Task<Write[]> SendAsTransactionAsync(Write[] writes, bool atOnce)
    {
        var gateway = writes[0].Gateway;
        string[][] queued = [["MULTI"], .. writes.Select(write => Writer.Command(write, writer))];
        string[][] carriedOut = [["EXEC"], ["GET", Values.Key(writes[0].Key)]];
        var replies = atOnce ? await AskAsync(gateway, [.. queued, .. carriedOut])
            : await AskAsync(gateway, queued) is not { } first ? null
            : await AskAsync(gateway, carriedOut) is { } second ? [.. first, .. second]
            : null;
        var exec = replies?[^2];
        Write[] ended = [.. writes.Select((write, i) =>
            exec is null ? Writer.Answered(write, false, 0)
            : exec.IsError ? Answered(write, replies![1 + i] is { IsError: true } refused ? refused : exec)
            : Answered(write, exec.Items.Length == writes.Length ? exec.Items[i] : _none))];
        Note(ended[0], replies?[^1]);
        return ended;
    }

    public void Dispose() => Array.ForEach(_links, link => link.Dispose());

    private async Task<Reply[]?> AskAsync(byte gateway, string[][] commands)
    {
        try
        {
            return await _links[gateway].AskAsync(commands);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static Write Answered(Write write, Reply reply)
    {
        var done = write.Deletes ? reply.Kind == ':' : reply is { Kind: '+', Text: "OK" };
        return Writer.Answered(write, done, done ? 200 : reply.IsError ? RespAnswers.Status(reply) : 400);
    }

    private void Note(Write write, Reply? reply)
    {
        var (status, outcome, version) = reply is null ? ((short)0, ReadOutcome.NoAnswer, 0) : RespAnswers.Judge(reply, write.Key);
        reads.Add(new Read(
            write.Start, write.Took, version, write.Key, status, write.Gateway, outcome, CacheWord.None, ReadForm.BehindWrites, Marked: false, Age: 0,
            Behind: write.Outcome == Outcome.Acknowledged ? write.Version : 0));
    }
}
