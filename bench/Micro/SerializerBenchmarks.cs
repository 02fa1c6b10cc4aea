using System.Buffers;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using RpOrleans.Grains;

namespace RpOrleans.Micro;

/// <summary>What Orleans makes of a look-up and of its answer: batches of one key and of sixteen. For one batch.</summary>
public class SerializerBenchmarks
{
    private readonly Serializer _serializer = new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();
    private readonly ArrayBufferWriter<byte> _bytes = new();
    private KeyBatch _keys = null!;
    private LookupBatch _answers = null!;
    private byte[] _serializedKeys = [];
    private byte[] _serializedAnswers = [];

    [Params(1, 16)]
    public int Keys { get; set; }

    [GlobalSetup]
    public void Serialize()
    {
        (_keys, _answers) = (KeyBatch.Of(Samples.Keys(Keys)), LookupBatch.Of(Samples.Answers(Keys)));
        (_serializedKeys, _serializedAnswers) = (_serializer.SerializeToArray(_keys), _serializer.SerializeToArray(_answers));
    }

    [Benchmark]
    public int SerializeKeys()
    {
        _bytes.ResetWrittenCount();
        _serializer.Serialize(_keys, _bytes);
        return _bytes.WrittenCount;
    }

    [Benchmark]
    public KeyBatch? DeserializeKeys() => _serializer.Deserialize<KeyBatch>(_serializedKeys);

    [Benchmark]
    public int SerializeAnswers()
    {
        _bytes.ResetWrittenCount();
        _serializer.Serialize(_answers, _bytes);
        return _bytes.WrittenCount;
    }

    [Benchmark]
    public LookupBatch? DeserializeAnswers() => _serializer.Deserialize<LookupBatch>(_serializedAnswers);
}
