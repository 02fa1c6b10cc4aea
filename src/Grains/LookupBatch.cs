using System.Buffers;
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

    /// <summary>What stands before a value: a byte, and three numbers.</summary>
    private const int HeadAtMost = 1 + (3 * PackedNumber.BytesAtMost);

    /// <summary>A batch of these answers.</summary>
    public static LookupBatch Of(params ReadOnlySpan<Lookup> answers)
    {
        var packed = new ArrayBufferWriter<byte>();
        foreach (ref readonly var answer in answers)
        {
            Pack(packed, answer);
        }

        return Of(packed.WrittenSpan);
    }

    /// <summary>A batch of answers that are packed already, one after the other.</summary>
    public static LookupBatch Of(ReadOnlySpan<byte> packed)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(packed.Length);
        packed.CopyTo(bytes);
        return new LookupBatch(bytes);
    }

    /// <summary>Adds an answer to others.</summary>
    public static void Pack(IBufferWriter<byte> packed, in Lookup answer)
    {
        var bytes = packed.GetSpan(HeadAtMost + answer.Value.Length);
        bytes[0] = (byte)((int)answer.Status | ((int)answer.Freshness << 4) | (answer.Granted ? GrantedMark : 0));
        var length = 1;
        if (answer.Status == LookupStatus.Failed)
        {
            bytes[length++] = (byte)answer.Fault;
        }
        else if (answer.Status != LookupStatus.Miss)
        {
            length += PackedNumber.Write(bytes[length..], (ulong)answer.AgeMilliseconds);
            length += PackedNumber.Write(bytes[length..], PackedNumber.Fold(answer.FreshMilliseconds));
            if (answer.Status == LookupStatus.Found)
            {
                length += PackedNumber.Write(bytes[length..], (ulong)answer.Value.Length);
                answer.Value.Span.CopyTo(bytes[length..]);
                length += answer.Value.Length;
            }
        }

        packed.Advance(length);
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
        ReadOnlySpan<byte> rest = Packed.AsSpan(at);
        for (; count > 0; count--)
        {
            var status = (LookupStatus)(rest[0] & 0x0f);
            rest = rest[(status == LookupStatus.Failed ? 2 : 1)..];
            if (status is not (LookupStatus.Miss or LookupStatus.Failed))
            {
                PackedNumber.Read(ref rest);
                PackedNumber.Read(ref rest);
                rest = status == LookupStatus.Found ? rest[(int)PackedNumber.Read(ref rest)..] : rest;
            }
        }

        return Packed.Length - rest.Length;
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
}
