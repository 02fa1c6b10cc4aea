using RpOrleans.Checker.Judging;

namespace RpOrleans.Checker;

/// <summary>Reads through gateways in the Redis protocol.</summary>
internal sealed class RespReads(IReadOnlyList<GatewayPorts> gateways, int protocol, List<Read> reads) : IDisposable
{
    private readonly RedisLink[] _links = [.. gateways.Select(gateway => new RedisLink(gateway.Resp, protocol))];

    /// <summary>Reads keys, each by a GET; they are sent together.</summary>
    public Task GetAsync(int gateway, int[] keys) =>
        AskAsync(gateway, keys, [.. keys.Select(key => new[] { "GET", Values.Key(key) })], keys.Length == 1 ? ReadForm.Get : ReadForm.Pipeline, replies => replies);

    /// <summary>Reads keys by one MGET.</summary>
    public Task MGetAsync(int gateway, int[] keys) =>
        AskAsync(gateway, keys, [["MGET", .. keys.Select(Values.Key)]], ReadForm.MGet, replies =>
            replies[0].IsError ? [.. keys.Select(_ => replies[0])]
            : replies[0].Items.Length == keys.Length ? replies[0].Items
            : [.. keys.Select(_ => new Reply('*', "", []))]);

    public void Dispose() => Array.ForEach(_links, link => link.Dispose());

    private async Task AskAsync(int gateway, int[] keys, string[][] commands, ReadForm form, Func<Reply[], Reply[]> byKey)
    {
        var start = Clock.Now;
        try
        {
            var replies = byKey(await _links[gateway].AskAsync(commands));
            var took = Clock.Now - start;
            for (var i = 0; i < keys.Length; i++)
            {
                var (status, outcome, version) = RespAnswers.Judge(replies[i], keys[i]);
                reads.Add(new Read(start, took, version, (ushort)keys[i], status, (byte)gateway, outcome, CacheWord.None, form, Marked: false, Age: 0));
            }
        }
        catch (IOException)
        {
            reads.Add(new Read(start, Clock.Now - start, 0, (ushort)keys[0], 0, (byte)gateway, ReadOutcome.NoAnswer, CacheWord.None, form, Marked: false, Age: 0));
        }
    }
}
