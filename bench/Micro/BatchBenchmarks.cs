using System.Buffers;
using BenchmarkDotNet.Attributes;
using RpOrleans.Grains;

namespace RpOrleans.Micro;

/// <summary>Keys and answers on their way between gateway and node, in one piece. For one key of sixteen.</summary>
public class BatchBenchmarks
{
    private const int Keys = 16;
    private readonly byte[][] _keys = Samples.Keys(Keys);
    private readonly Lookup[] _answers = Samples.Answers(Keys);
    private readonly ArrayBufferWriter<byte> _packed = new();
    private KeyBatch _keyBatch = null!;
    private LookupBatch _lookupBatch = null!;

    [GlobalSetup]
    public void Pack() => (_keyBatch, _lookupBatch) = (KeyBatch.Of(_keys), LookupBatch.Of(_answers));

    [Benchmark(OperationsPerInvoke = Keys)]
    public int PackKeys()
    {
        _packed.ResetWrittenCount();
        foreach (var key in _keys)
        {
            KeyBatch.Pack(_packed, key);
        }

        return _packed.WrittenCount;
    }

    [Benchmark(OperationsPerInvoke = Keys)]
    public int UnpackKeys()
    {
        ReadOnlySpan<byte> rest = _keyBatch.Packed;
        var length = 0;
        for (var i = 0; i < Keys; i++)
        {
            length += KeyBatch.Next(ref rest).Length;
        }

        return length;
    }

    [Benchmark(OperationsPerInvoke = Keys)]
    public LookupBatch PackAnswers() => LookupBatch.Of(_answers);

    [Benchmark(OperationsPerInvoke = Keys)]
    public int UnpackAnswers()
    {
        var length = 0;
        for (int i = 0, at = 0; i < Keys; i++)
        {
            _lookupBatch.Read(ref at, out var value);
            length += value.Length;
        }

        return length;
    }
}
