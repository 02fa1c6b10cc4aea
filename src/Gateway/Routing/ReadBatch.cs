using System.Buffers;
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
    private readonly List<Slot> _slots = [];
    private readonly List<Group> _groups = [];
    private readonly List<KeyAnswer> _answers = [];
    private NodeRing _ring = nodes.Ring;

    /// <summary>What is known of the keys, in their order, once <see cref="ReadAsync"/> has come back.</summary>
    public List<KeyAnswer> Answers => _answers;

    /// <summary>Forgets everything, to begin anew.</summary>
    public void Clear()
    {
        _slots.Clear();
        _answers.Clear();
        _groups.ForEach(group => group.Clear());
        _ring = nodes.Ring;
    }

    /// <summary>Adds a key; what a node in this process holds is found here and now.</summary>
    public void Add(ReadOnlySpan<byte> key)
    {
        if (_ring.Owner(key) is not { Usable: true } owner)
        {
            _slots.Add(new Slot { Read = router.ReadAsync(key.ToArray(), default) });
        }
        else if (owner.TryHit(key, out var hit))
        {
            _slots.Add(router.IsFinal(hit)
                ? new Slot { Answer = new KeyAnswer(new(hit), hit.Value) }
                : new Slot { Read = router.ReadNotHeldAsync(key.ToArray(), owner, failed: false) });
        }
        else if (owner.Held is not null)
        {
            _slots.Add(new Slot { Read = router.ReadAsync(key.ToArray(), default) });
        }
        else
        {
            var group = GroupOf(owner);
            _slots.Add(new Slot { Group = group, At = group.Packed.WrittenCount });
            KeyBatch.Pack(group.Packed, key, owner.Lease?.Wants(key) == true);
            group.Count++;
        }
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

        // What was not found is read all at once, and then waited for.
        for (var i = 0; i < _slots.Count; i++)
        {
            if (_slots[i].Group is { } group)
            {
                _slots[i] = group.TryTake(router, out var answer) ? new Slot { Answer = answer } : new Slot { Read = ReadNotHeldAsync(group, _slots[i].At) };
            }
        }

        foreach (var slot in _slots)
        {
            _answers.Add(slot.Read is { } read ? AnswerOf(await read.ConfigureAwait(false)) : slot.Answer);
        }
    }

    private ValueTask<Routed<Lookup>> ReadNotHeldAsync(Group group, int at)
    {
        var rest = group.Packed.WrittenSpan[at..];
        return router.ReadNotHeldAsync(KeyBatch.Next(ref rest).ToArray(), group.Node, group.Failed);
    }

    private static KeyAnswer AnswerOf(Routed<Lookup> routed) => new(routed, routed.Answer.Value);

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

    private struct Slot
    {
        public KeyAnswer Answer;
        public ValueTask<Routed<Lookup>>? Read;
        public Group? Group;
        public int At;
    }

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
