using System.Buffers;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using RpOrleans.Gateway.Http;
using RpOrleans.Gateway.Near;
using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;
using RpOrleans.Grains.Lru;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Tests.Parts;

/// <summary>A hit in memory leaves nothing to the garbage collector.</summary>
public sealed class HitAllocationTests
{
    private static readonly byte[] _key = [.. "key"u8];

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void AHitInTheNodeAllocatesNothing()
    {
        var session = new Session(_time);
        session.Confirm(session.Open(() => true), _time.GetTimestamp(), TimeSpan.FromDays(1));
        var cache = new LruCache(100, 1_000_000, _time);
        var entries = new HeldEntries(cache, session, new NodeMetrics(cache), new CacheOptions(), _time);
        entries.End(entries.BeginLoad(_key), keep: true, new byte[100], _time.GetTimestamp(), TimeSpan.FromMinutes(1));

        AssertAllocatesNothing(() => entries.TryHit(_key, out var hit) && hit.Value.Length == 100);
    }

    [Fact]
    public void AHitInTheGatewaysCopiesAllocatesNothing()
    {
        var near = new NearCache(1_000_000, _time);
        var lease = near.NewLease();
        near.Renew(lease, new LeaseAnswer(1, 0, KeyBatch.Of(), All: false, 500, Freshness.Tracking), _time.GetTimestamp());
        var answer = new Lookup { Status = LookupStatus.Found, Source = LookupSource.Cache, Value = new byte[100], Granted = true, FreshMilliseconds = 10_000 };
        near.End(lease, near.Begin(lease), KeyBatch.Of(_key), LookupBatch.Of(answer));

        AssertAllocatesNothing(() => near.TryHit(lease, _key, out var hit) && hit.Value.Length == 100);
    }

    [Theory]
    [InlineData(10_000, Freshness.Tracking)]
    [InlineData(86_400_000, Freshness.Tracking)]
    [InlineData(86_400_000, Freshness.Expiry)]
    public void AnAnswerThatIsWrittenWhereItsRequestArrivesAllocatesNothing(long freshMilliseconds, Freshness freshness)
    {
        var answer = new Lookup { Status = LookupStatus.Found, Source = LookupSource.Cache, Value = "v"u8.ToArray(), FreshMilliseconds = freshMilliseconds, Freshness = freshness };
        var output = new ArrayBufferWriter<byte>(4_096);

        bool Write()
        {
            output.ResetWrittenCount();
            return DirectAnswer.TryWrite(output, answer);
        }

        Warm(Write);

        // In one of the two a second may end, and with it the date that all of its answers share.
        Assert.Equal(0, Math.Min(AllocatedByAThousand(Write), AllocatedByAThousand(Write)));
        Assert.Contains($"Cache-Status: rporleans; hit; ttl={freshMilliseconds / 1_000}; detail={freshness.ToString().ToLowerInvariant()}\r\n", Encoding.ASCII.GetString(output.WrittenSpan));
    }

    private static void AssertAllocatesNothing(Func<bool> hit)
    {
        Warm(hit);

        Assert.Equal(0, AllocatedByAThousand(hit));
    }

    private static void Warm(Func<bool> hit)
    {
        for (var i = 0; i < 100; i++)
        {
            Assert.True(hit());
        }
    }

    private static long AllocatedByAThousand(Func<bool> hit)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var hits = 0;
        for (var i = 0; i < 1_000; i++)
        {
            hits += hit() ? 1 : 0;
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(1_000, hits);
        return allocated;
    }
}
