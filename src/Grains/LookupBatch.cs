using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Grains;

/// <summary>The answers to a batch of look-ups in memory, in the order of its keys.</summary>
/// <param name="Packed">For each key a byte for what is known (<see cref="LookupStatus"/>), what that rests on (<see cref="Freshness"/>), and whether a copy is granted; if it is held, its age
/// and how much longer it is fresh, in milliseconds; if there is a value, its length and bytes. If the node would be refused by Redis, a byte for why. Numbers as in <see cref="PackedNumber"/>.</param>
[GenerateSerializer, Immutable, Alias("rporleans.LookupBatch")]
public sealed record LookupBatch([property: Id(0)] byte[] Packed)
{
    private const int GrantedMark = 0x80;

    /// <summary>Packs answers.</summary>
    public static LookupBatch Of(params ReadOnlySpan<Lookup> answers)
    {
        var size = 0;
        foreach (ref readonly var answer in answers)
        {
            size += SizeOf(answer);
        }

        var packed = GC.AllocateUninitializedArray<byte>(size);
        var rest = packed.AsSpan();
        foreach (ref readonly var answer in answers)
        {
            rest = rest[Write(rest, answer)..];
        }

        return new LookupBatch(packed);
    }

    /// <summary>Reads an answer, all but a value's bytes.</summary>
    /// <param name="at">Where it begins; afterwards, where the next does.</param>
    /// <param name="value">The value's bytes, if there is one.</param>
    public Lookup Read(ref int at, out ReadOnlyMemory<byte> value)
    {
        ReadOnlySpan<byte> rest = Packed.AsSpan(at);
        var head = rest[0];
        rest = rest[1..];
        value = default;
        var status = (LookupStatus)(head & 0x0f);
        if (status is LookupStatus.Miss or LookupStatus.Failed)
        {
            at += status == LookupStatus.Miss ? 1 : 2;
            return status == LookupStatus.Miss ? default : Lookup.Failed((OriginFault)rest[0]);
        }

        var age = (long)PackedNumber.Read(ref rest);
        var fresh = PackedNumber.Unfold(PackedNumber.Read(ref rest));
        if (status == LookupStatus.Found)
        {
            var length = (int)PackedNumber.Read(ref rest);
            value = Packed.AsMemory(Packed.Length - rest.Length, length);
            rest = rest[length..];
        }

        at = Packed.Length - rest.Length;
        return new Lookup { Status = status, Source = LookupSource.Cache, Stored = true, Freshness = (Freshness)((head >> 4) & 0x07), Granted = (head & GrantedMark) != 0, AgeMilliseconds = age, FreshMilliseconds = fresh };
    }

    /// <summary>Whether nothing is held under the first key of those whose answers begin here.</summary>
    public bool IsMiss(int at) => at < Packed.Length && (LookupStatus)(Packed[at] & 0x0f) == LookupStatus.Miss;

    /// <summary>Where the answers begin that follow so many.</summary>
    public int Skip(int at, int count)
    {
        for (; count > 0; count--)
        {
            Read(ref at, out _);
        }

        return at;
    }

    /// <summary>Reads all answers.</summary>
    public IReadOnlyList<Lookup> ToList()
    {
        var answers = new List<Lookup>();
        for (var at = 0; at < Packed.Length;)
        {
            var answer = Read(ref at, out var value);
            answers.Add(answer with { Value = value });
        }

        return answers;
    }

    private static int SizeOf(in Lookup answer) => answer.Status switch
    {
        LookupStatus.Miss => 1,
        LookupStatus.Failed => 2,
        _ => 1 + PackedNumber.SizeOf((ulong)answer.AgeMilliseconds) + PackedNumber.SizeOf(PackedNumber.Fold(answer.FreshMilliseconds))
            + (answer.Status == LookupStatus.Found ? PackedNumber.SizeOf((ulong)answer.Value.Length) + answer.Value.Length : 0),
    };

    private static int Write(Span<byte> bytes, in Lookup answer)
    {
        bytes[0] = (byte)((int)answer.Status | ((int)answer.Freshness << 4) | (answer.Granted ? GrantedMark : 0));
        if (answer.Status is LookupStatus.Miss or LookupStatus.Failed)
        {
            if (answer.Status == LookupStatus.Failed) bytes[1] = (byte)answer.Fault;
            return SizeOf(answer);
        }

        var at = 1;
        at += PackedNumber.Write(bytes[at..], (ulong)answer.AgeMilliseconds);
        at += PackedNumber.Write(bytes[at..], PackedNumber.Fold(answer.FreshMilliseconds));
        if (answer.Status == LookupStatus.Found)
        {
            at += PackedNumber.Write(bytes[at..], (ulong)answer.Value.Length);
            answer.Value.Span.CopyTo(bytes[at..]);
            at += answer.Value.Length;
        }

        return at;
    }
}
