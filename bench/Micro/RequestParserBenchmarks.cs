using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using RpOrleans.Gateway.Resp;

namespace RpOrleans.Micro;

/// <summary>Commands of the Redis protocol, as they come: alone, and 64 at once. For one command.</summary>
public class RequestParserBenchmarks
{
    private const int Pipeline = 64;
    private static readonly byte[] _get = Encoding.ASCII.GetBytes("*2\r\n$3\r\nGET\r\n$12\r\nbench0000000\r\n");
    private static readonly ReadOnlySequence<byte> _one = new(_get);
    private static readonly ReadOnlySequence<byte> _many = new([.. Enumerable.Repeat(_get, Pipeline).SelectMany(bytes => bytes)]);
    private readonly RequestParser _parser = new();

    [Benchmark]
    public int Alone() => Parse(_one);

    [Benchmark(OperationsPerInvoke = Pipeline)]
    public int InAPipelineOf64() => Parse(_many);

    private int Parse(in ReadOnlySequence<byte> bytes)
    {
        var length = 0;
        _parser.Append(bytes);
        while (_parser.TryRead(out var request))
        {
            length += request[1].Length;
        }

        _parser.Release();
        return length;
    }
}
