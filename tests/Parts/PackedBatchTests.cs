using CsCheck;
using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Tests.Parts;

/// <summary>What travels between gateways and nodes in one piece.</summary>
public sealed class PackedBatchTests
{
    private static readonly Gen<Lookup> _lookup = Gen.Select(Gen.Int[0, 3], Gen.Enum<Freshness>(), Gen.Long[0, long.MaxValue], Gen.Long, Gen.Byte.Array[0, 300]).Select((status, freshness, age, fresh, value) =>
        status == 0 ? default
        : status == 3 ? Lookup.Failed((OriginFault)(value.Length % 10))
        : new Lookup
        {
            Status = status == 1 ? LookupStatus.Found : LookupStatus.Absent,
            Source = LookupSource.Cache,
            Stored = true,
            Freshness = freshness,
            AgeMilliseconds = age,
            FreshMilliseconds = fresh,
            Value = status == 1 ? value : default(ReadOnlyMemory<byte>),
        });

    [Fact]
    public void KeysArriveAsTheyWere() => Gen.Byte.Array[0, 300].Array[0, 50].Sample(keys => Assert.Equal(keys, KeyBatch.Of(keys).ToList()));

    [Fact]
    public void AnswersArriveAsTheyWere() => _lookup.Array[0, 50].Sample(answers =>
    {
        var arrived = LookupBatch.Of(answers).ToList();
        Assert.Equal(answers.Length, arrived.Count);
        for (var i = 0; i < answers.Length; i++)
        {
            Assert.Equal(answers[i].Value.ToArray(), arrived[i].Value.ToArray());
            Assert.Equal(answers[i] with { Value = default }, arrived[i] with { Value = default });
        }
    });

    [Fact]
    public void TheAnswersOfOneReaderBeginWhereThoseBeforeEnd() => Gen.Select(_lookup.Array[0, 20], _lookup.Array[1, 20]).Sample((before, own) =>
    {
        var batch = LookupBatch.Of([.. before, .. own]);
        var at = batch.Skip(0, before.Length);
        Assert.Equal(own[0].Status == LookupStatus.Miss, batch.IsMiss(at));
        Assert.Equal(own[0].Status, batch.Read(ref at, out _).Status);
    });
}
