using CsCheck;
using RpOrleans.Gateway.Near;
using RpOrleans.Grains.Placement;

namespace RpOrleans.Tests.Near;

public sealed class FrequencySketchTests
{
    [Fact]
    public void NothingIsCountedTooSeldom() => Gen.Int[0, 30].Array[0, 200].Sample(keys =>
    {
        var sketch = new FrequencySketch(1_024);
        var counts = new Dictionary<int, int>();
        foreach (var key in keys)
        {
            counts[key] = counts.GetValueOrDefault(key) + 1;
            Assert.True(sketch.Count(Hash(key)) >= counts[key]);
        }
    });

    [Fact]
    public void WhatWasAskedForLongAgoIsForgotten()
    {
        var sketch = new FrequencySketch(1_024);
        for (var i = 0; i < 100; i++)
        {
            sketch.Count(Hash(-1));
        }

        for (var i = 0; i < 100 * 1_024; i++)
        {
            sketch.Count(Hash(i % 4_000));
        }

        Assert.InRange(sketch.Count(Hash(-1)), 1, 30);
    }

    private static ulong Hash(int key) => RendezvousHash.HashKey(BitConverter.GetBytes(key));
}
