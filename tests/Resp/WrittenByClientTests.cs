using System.Buffers;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using RpOrleans.Gateway.Resp;
using RpOrleans.Gateway.Resp.Commands;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains.Placement;
using RpOrleans.Grains.Settings;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Resp;

/// <summary>Which reads of a client must be Redis's own after what it has written.</summary>
public sealed class WrittenByClientTests
{
    private static readonly Command _eval = new()
    {
        Name = "eval", Arity = -3, Writes = true, Scripts = true, Blocks = false, Dangerous = false, Short = false, Keys = [], KeysIncomplete = false, Subcommands = NameTable<Command>.Empty,
    };

    private readonly FakeTimeProvider _time = new();
    private readonly FakeNode _node = new("10.0.0.1:11111");
    private readonly WrittenByClient _written;
    private readonly WrittenByClient _queued;

    public WrittenByClientTests()
    {
        var link = new NodeLink(_node.Name, RendezvousHash.HashNode(_node.Name), _time);
        link.Heard(_node, default, _time.GetTimestamp());
        var nodes = new Nodes();
        nodes.Update(new NodeRing([link]), []);
        var router = new Router(nodes, new CoherenceOptions(), _time);
        _written = new WrittenByClient(router, null!, TimeSpan.FromSeconds(0.5), _time);
        _queued = new WrittenByClient(router, null!, TimeSpan.FromSeconds(0.5), _time);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AfterAScriptAllOfThemUntilRedisHasToldOfWhateverItChanged(bool inTransaction)
    {
        var read = Request("GET other");
        Assert.False(_written.Concerns(read, 1) || _written.ConcernsAny);

        (inTransaction ? _queued : _written).Add(Request("EVAL x 1 h"), _eval);
        _written.Take(_queued);
        Assert.True(_written.Concerns(read, 1) && _written.ConcernsAny);
        await _written.SettleAsync();

        _time.Advance(TimeSpan.FromSeconds(0.49));
        Assert.True(_written.Concerns(read, 1) && _written.ConcernsAny);
        _time.Advance(TimeSpan.FromSeconds(0.01));
        Assert.False(_written.Concerns(read, 1) || _written.ConcernsAny);
    }

    private static RpOrleans.Gateway.Resp.Request Request(string words)
    {
        var parser = new RequestParser();
        parser.Append(new ReadOnlySequence<byte>(Encoding.ASCII.GetBytes(words + "\r\n")));
        Assert.True(parser.TryRead(out var request));
        return request;
    }
}
