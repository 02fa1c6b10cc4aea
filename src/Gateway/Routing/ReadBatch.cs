using System.Buffers;
using System.Runtime.InteropServices;
using RpOrleans.Grains;

namespace RpOrleans.Gateway.Routing;

/// <summary>What is known of a key, its value apart: that may lie in a piece that came for many keys.</summary>
/// <param name="Routed">What is known, or why nothing is.</param>
/// <param name="Value">The value's bytes, when <see cref="LookupStatus.Found"/>.</param>
internal readonly record struct KeyAnswer(Routed<Lookup> Routed, ReadOnlyMemory<byte> Value);

/// <summary>Keys that one client wants to read at once: those of one node go there in one call. To be used again and again.</summary>
/// <param name="router">Reads what is not held.</param>
/// <param name="nodes">Who owns what.</param>
internal sealed class ReadBatch(Router router, Nodes nodes)
{
    private readonly List<KeyAnswer> _answers = [];
    private readonly List<Group> _groups = [];
    private readonly List<Asked> _asked = [];
    private readonly List<Reading> _reading = [];
    private NodeRing _ring = nodes.Ring;

    /// <summary>What is known of the keys, in their order, once <see cref="ReadAsync"/> has come back.</summary>
    public List<KeyAnswer> Answers => _answers;

    /// <summary>Forgets everything, to begin anew.</summary>
    public void Clear()
    {
        _answers.Clear();
        _asked.Clear();
        _reading.Clear();
        _groups.ForEach(group => group.Clear());
        _ring = nodes.Ring;
    }

    /// <summary>Adds a key; what a node in this process holds is found here and now.</summary>
    public void Add(ReadOnlySpan<byte> key)
    {
        var answer = default(KeyAnswer);
        if (_ring.Owner(key) is not { Usable: true } owner)
        {
            _reading.Add(new Reading(_answers.Count, router.ReadAsync(key.ToArray(), default)));
        }
        else if (owner.TryHit(key, out var hit))
        {
            answer = new KeyAnswer(new(hit), hit.Value);
            if (!router.IsFinal(hit))
            {
                _reading.Add(new Reading(_answers.Count, router.ReadNotHeldAsync(key.ToArray(), owner, failed: false)));
            }
        }
        else if (owner.Held is not null)
        {
            _reading.Add(new Reading(_answers.Count, router.ReadAsync(key.ToArray(), default)));
        }
        else
        {
            var group = GroupOf(owner);
            _asked.Add(new Asked(_answers.Count, group, group.Packed.WrittenCount));
            KeyBatch.Pack(group.Packed, key, owner.Lease?.Wants(key) == true);
            group.Count++;
        }

        _answers.Add(answer);
    }

    /// <summary>Reads them.</summary>
    public async ValueTask ReadAsync()
    {
        foreach (var group in _groups)
        {
            group.Ask();
        }

        foreach (var group in _groups)
        {
            await group.AwaitAsync().ConfigureAwait(false);
        }

        TakeAnswers();
        foreach (var reading in _reading)
        {
            var routed = await reading.Read.ConfigureAwait(false);
            _answers[reading.Index] = new KeyAnswer(routed, routed.Answer.Value);
        }
    }

    /// <summary>Takes what the nodes answered. What was not found is read, all at once, before any of that is waited for.</summary>
    private void TakeAnswers()
    {
        var answers = CollectionsMarshal.AsSpan(_answers);
        foreach (var (index, group, at) in _asked)
        {
            if (!group.TryTake(router, out answers[index]))
            {
                _reading.Add(new Reading(index, ReadNotHeldAsync(group, at)));
            }
        }
    }

    private ValueTask<Routed<Lookup>> ReadNotHeldAsync(Group group, int at)
    {
        var rest = group.Packed.WrittenSpan[at..];
        return router.ReadNotHeldAsync(KeyBatch.Next(ref rest).ToArray(), group.Node, group.Failed);
    }

    private Group GroupOf(NodeLink node)
    {
        Group? free = null;
        foreach (var group in _groups)
        {
            if (ReferenceEquals(group.Node, node))
            {
                return group;
            }

            free = group.Count == 0 ? group : free;
        }

        if (free is null)
        {
            _groups.Add(free = new Group());
        }

        free.Node = node;
        return free;
    }

    /// <summary>A key that a node is asked for: the index of its answer, and where it stands among the keys for that node.</summary>
    private readonly record struct Asked(int Index, Group Group, int At);

    /// <summary>A key that is read by itself.</summary>
    private readonly record struct Reading(int Index, ValueTask<Routed<Lookup>> Read);

    /// <summary>The keys of one node.</summary>
    private sealed class Group
    {
        private ValueTask<PeekAnswers> _asked;
        private PeekAnswers _answers;

        public NodeLink? Node { get; set; }

        public ArrayBufferWriter<byte> Packed { get; } = new();

        public int Count { get; set; }

        /// <summary>Whether the node gave no answer.</summary>
        public bool Failed { get; private set; }

        public void Clear()
        {
            Packed.ResetWrittenCount();
            (Node, Count, Failed, _answers) = (null, 0, false, default);
        }

        public void Ask()
        {
            if (Count > 0)
            {
                _asked = Node!.PeekAsync(new KeyBatch(Count, Packed.WrittenSpan.ToArray()));
            }
        }

        public async ValueTask AwaitAsync()
        {
            if (Count > 0)
            {
                try
                {
                    _answers = await _asked.ConfigureAwait(false);
                }
                catch (NodeUnavailableException)
                {
                    Failed = true;
                }
            }
        }

        /// <summary>Takes the answer to the next key, if it is one that can be given.</summary>
        public bool TryTake(Router router, out KeyAnswer answer)
        {
            answer = default;
            if (Failed)
            {
                return false;
            }

            var lookup = _answers.Next(out var value);
            answer = new KeyAnswer(new(lookup), value);
            return router.IsFinal(lookup);
        }
    }
}
