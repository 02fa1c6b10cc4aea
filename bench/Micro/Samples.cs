using System.Text;
using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;

namespace RpOrleans.Micro;

/// <summary>Keys and answers as they are asked for elsewhere too: keys of 12 bytes, values of 100.</summary>
internal static class Samples
{
    public static byte[][] Keys(int count) => [.. Enumerable.Range(0, count).Select(key => Encoding.ASCII.GetBytes($"bench{key:0000000}"))];

    public static byte[] Value() => Enumerable.Repeat((byte)'.', 100).ToArray();

    public static Lookup[] Answers(int count) => [.. Enumerable.Range(0, count).Select(_ => new Lookup
    {
        Status = LookupStatus.Found,
        Source = LookupSource.Cache,
        Stored = true,
        Freshness = Freshness.Tracking,
        AgeMilliseconds = 1_000,
        FreshMilliseconds = 59_000,
        Value = Value(),
    })];
}
