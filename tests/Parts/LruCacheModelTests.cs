using CsCheck;
using Microsoft.Extensions.Time.Testing;
using RpOrleans.Grains.Lru;
using Xunit;

namespace RpOrleans.Tests.Parts;

/// <summary>The cache against one that is obviously right: a list, searched from end to end.</summary>
public sealed class LruCacheModelTests
{
    /// <summary>How long an expired entry may be held while it is swept for: two ticks of the wheel.</summary>
    private static readonly TimeSpan _sweepTolerance = TimeSpan.FromMilliseconds(100);

    [Fact]
    public void AMillionOperationsDoWhatTheListDoes()
    {
        long operations = 0;
        Scenarios.Sample(
            scenario =>
            {
                new Comparison(scenario).Run();
                Interlocked.Add(ref operations, scenario.Operations.Length);
            },
            iter: 1_000);
        Assert.True(operations >= 1_000_000, $"Only {operations} operations were compared.");
    }

    private static Gen<Scenario> Scenarios =>
        from maximumEntries in Gen.OneOf(Gen.Int[1, 8], Gen.Int[1, 100], Gen.Int[1, 1_000])
        from maximumBytes in Gen.OneOf(Gen.Const(1L << 40), Gen.Long[1, maximumEntries * 400L])
        from retention in Gen.OneOf(Gen.Const(0), Gen.Int[1, 100_000])
        from operations in OperationsOn(keys: 2 * maximumEntries).Array[1, 2_500]
        select new Scenario(maximumEntries, maximumBytes, Milliseconds(retention), operations);

    private static Gen<Operation> OperationsOn(int keys)
    {
        var key = Gen.Int[0, keys - 1];
        var life = Gen.Frequency((1, Gen.Int[-5, 50]), (4, Gen.Int[50, 2_000]), (4, Gen.Int[2_000, 1_000_000]), (1, Gen.Int[1_000_000, int.MaxValue]));
        var age = Gen.Frequency((4, Gen.Const(0)), (1, Gen.Int[0, 300]));
        var beyond = Gen.OneOf(Gen.Const(-1), Gen.Int[0, 100_000]); // for how long Redis holds it after its life; -1 for no end
        var clock = Gen.Frequency((60, Gen.Int[0, 120]), (30, Gen.Int[0, 5_000]), (9, Gen.Int[0, 1_000_000]), (1, Gen.Int[0, int.MaxValue]));
        return Gen.Frequency(
            (40, Gen.Select(key, Gen.Int[-1, 200], age, life, beyond, (k, size, a, l, b) =>
                (Operation)new Put(k, size, Milliseconds(a), Milliseconds(l), b < 0 ? null : Milliseconds(l) + Milliseconds(b)))),
            (30, key.Select(k => (Operation)new Get(k))),
            (10, key.Select(k => (Operation)new GetRetained(k))),
            (6, Gen.Select(key, Gen.Enum<RemovalCause>(), (k, cause) => (Operation)new Remove(k, cause))),
            (12, clock.Select(by => (Operation)new Advance(Milliseconds(by)))),
            (10, Gen.OneOf(Gen.Const(int.MaxValue), Gen.Int[0, 20]).Select(most => (Operation)new RemoveExpired(most))),
            (1, Gen.Select(Gen.Int[2, 9], Gen.Int[0, 8], (divisor, rest) => (Operation)new RemoveWhere(divisor, rest % divisor))),
            (1, Gen.Int[0, 9].Select(nth => nth == 0 ? (Operation)new Clear() : new Get(0))));
    }

    private static TimeSpan Milliseconds(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private sealed record Scenario(int MaximumEntries, long MaximumBytes, TimeSpan Retention, Operation[] Operations)
    {
        public override string ToString() =>
            $"{MaximumEntries} entries or {MaximumBytes} bytes at most, retained for {Retention.TotalMilliseconds} ms:\n{string.Join('\n', Operations.Select((operation, i) => $"{i,5}  {operation}"))}";
    }

    private abstract record Operation;

    /// <summary>A size of -1 is that of an absent key.</summary>
    private sealed record Put(int Key, int Size, TimeSpan Age, TimeSpan Life, TimeSpan? OriginLife) : Operation
    {
        public override string ToString() =>
            $"put {Key}: {Size} bytes, read {Age.TotalMilliseconds} ms ago, for {Life.TotalMilliseconds} ms, of {OriginLife?.TotalMilliseconds ?? double.PositiveInfinity} in Redis";
    }

    private sealed record GetRetained(int Key) : Operation
    {
        public override string ToString() => $"get {Key}, retained";
    }

    private sealed record Get(int Key) : Operation
    {
        public override string ToString() => $"get {Key}";
    }

    private sealed record Remove(int Key, RemovalCause Cause) : Operation
    {
        public override string ToString() => $"remove {Key} as {Cause}";
    }

    private sealed record Advance(TimeSpan By) : Operation
    {
        public override string ToString() => $"{By.TotalMilliseconds} ms pass";
    }

    private sealed record RemoveExpired(int Most) : Operation
    {
        public override string ToString() => $"sweep, {(Most == int.MaxValue ? "all" : Most)}";
    }

    private sealed record RemoveWhere(int Divisor, int Rest) : Operation
    {
        public override string ToString() => $"remove keys that leave {Rest} when divided by {Divisor}";
    }

    private sealed record Clear : Operation
    {
        public override string ToString() => "clear";
    }

    /// <summary>What the list holds.</summary>
    private sealed record Held(int Key, byte[]? Value, long LoadedAt, long ExpiresAt, long RetainedUntil)
    {
        public long Size => Entry.SizeOf(KeyBytes(Key).Length, Value?.Length ?? 0);
    }

    /// <summary>Does each operation on both, and compares what can be seen.</summary>
    private sealed class Comparison
    {
        private readonly Scenario _scenario;
        private readonly FakeTimeProvider _time = new();
        private readonly LruCache _cache;
        private readonly List<(Entry Entry, RemovalCause Cause)> _left = [];          // what the cache says has left in this step
        private readonly List<(Held Held, RemovalCause Cause)> _expectedToLeave = []; // what the list says
        private readonly List<Held> _held = [];                                       // the most recent last
        private long _bytes, _evictions, _expirations;
        private int _values;

        public Comparison(Scenario scenario)
        {
            _scenario = scenario;
            _cache = new LruCache(scenario.MaximumEntries, scenario.MaximumBytes, _time, scenario.Retention)
            {
                Removed = (entry, cause) => _left.Add((entry, cause)),
            };
        }

        private long Now => _time.GetTimestamp();

        public void Run()
        {
            for (var i = 0; i < _scenario.Operations.Length; i++)
            {
                var operation = _scenario.Operations[i];
                try
                {
                    Do(operation);
                    CompareFigures();
                    CompareWhatLeft();
                    if (_held.Count <= 8 || i % 50 == 0)
                    {
                        CompareOrder();
                    }
                }
                catch (Exception difference)
                {
                    throw new InvalidOperationException($"At {i}, {operation}: {difference.Message}", difference);
                }
            }

            CompareOrder();
            Do(new Clear()); // shows what was held
            CompareFigures();
            CompareWhatLeft();
        }

        private void Do(Operation operation)
        {
            switch (operation)
            {
                case Put put:
                    DoPut(put);
                    break;
                case Get get:
                    DoGet(get);
                    break;
                case GetRetained get:
                    DoGetRetained(get);
                    break;
                case Remove remove:
                    Assert.Equal(Drop(Find(remove.Key), remove.Cause), _cache.Remove(KeyBytes(remove.Key), remove.Cause));
                    break;
                case Advance advance:
                    _time.Advance(advance.By);
                    break;
                case RemoveExpired sweep:
                    DoRemoveExpired(sweep);
                    break;
                case RemoveWhere choice:
                    bool Chosen(int key) => key % choice.Divisor == choice.Rest;
                    var chosen = _held.Where(held => Chosen(held.Key)).ToList();
                    Assert.Equal(chosen.Count, _cache.RemoveWhere(key => Chosen(KeyOf(key)), RemovalCause.Moved));
                    chosen.ForEach(held => Drop(held, RemovalCause.Moved));
                    break;
                case Clear:
                    _cache.Clear(RemovalCause.Invalidated);
                    _held.ToList().ForEach(held => Drop(held, RemovalCause.Invalidated));
                    break;
            }
        }

        private void DoPut(Put put)
        {
            var value = put.Size < 0 ? null : NextValue(put.Size);
            var loadedAt = Now - put.Age.Ticks; // the fake clock's timestamps are ticks
            var expiresAt = loadedAt + put.Life.Ticks;
            var held = new Held(put.Key, value, loadedAt, expiresAt, expiresAt + RetentionOf(put));

            Drop(Find(put.Key), RemovalCause.Replaced);
            var fits = held.ExpiresAt > Now && held.Size <= _scenario.MaximumBytes;
            if (fits)
            {
                _held.Add(held);
                _bytes += held.Size;
                while (_held.Count > _scenario.MaximumEntries || _bytes > _scenario.MaximumBytes)
                {
                    Drop(_held[0], RemovalCause.Evicted);
                }
            }

            Assert.Equal(fits, value is null
                ? _cache.PutAbsent(KeyBytes(put.Key), loadedAt, put.Life)
                : _cache.Put(KeyBytes(put.Key), value, loadedAt, put.Life, originLife: put.OriginLife));
        }

        /// <summary>One that no other is the same as, if it is long enough.</summary>
        private byte[] NextValue(int size)
        {
            var value = new byte[size];
            new Random(++_values).NextBytes(value);
            return value;
        }

        private void DoGet(Get get)
        {
            var held = DropIfOver(Find(get.Key));
            if (held?.ExpiresAt <= Now)
            {
                held = null; // retained, and left where it is
            }

            Assert.Equal(held is not null, _cache.TryGet(KeyBytes(get.Key), out var entry));
            Used(held, entry);
        }

        private void DoGetRetained(GetRetained get)
        {
            var held = DropIfOver(Find(get.Key));
            Assert.Equal(held is not null, _cache.TryGetRetained(KeyBytes(get.Key), Now, out var entry));
            Used(held, entry);
        }

        /// <summary>All of the retention, or as much as Redis holds the key for beyond its life, less the 255th that is not counted in; nothing of what is absent.</summary>
        private long RetentionOf(Put put)
        {
            var whole = _scenario.Retention;
            var beyond = put.OriginLife - put.Life ?? TimeSpan.MaxValue;
            return put.Size < 0 ? 0 : beyond >= whole ? whole.Ticks : whole.Ticks * (long)(255 * (beyond / whole)) / 255;
        }

        private Held? DropIfOver(Held? held)
        {
            if (held is null || held.RetainedUntil > Now)
            {
                return held;
            }

            Drop(held, RemovalCause.Expired);
            return null;
        }

        private void Used(Held? held, in Entry entry)
        {
            if (held is not null)
            {
                AssertIs(held, entry);
                _held.Remove(held);
                _held.Add(held);
            }
        }

        /// <summary>Which entries a sweep finds first is its own affair; that they have expired and that all are found in time is not.</summary>
        private void DoRemoveExpired(RemoveExpired sweep)
        {
            var removed = _cache.RemoveExpired(sweep.Most);
            Assert.Equal(_left.Count, removed);
            Assert.InRange(removed, 0, sweep.Most);
            foreach (var (entry, _) in _left)
            {
                var held = Find(KeyOf(entry.Key.Span));
                Assert.NotNull(held);
                Assert.True(held.RetainedUntil <= Now, $"{held.Key} was swept before its time.");
                Drop(held, RemovalCause.Expired);
            }

            if (sweep.Most == int.MaxValue)
            {
                var missed = _held.Find(held => held.RetainedUntil <= Now - _sweepTolerance.Ticks);
                Assert.True(missed is null, $"{missed?.Key} was not swept.");
            }
        }

        private void CompareFigures()
        {
            Assert.Equal(_held.Count, _cache.Count);
            Assert.Equal(_bytes, _cache.Bytes);
            Assert.Equal(_evictions, _cache.Evictions);
            Assert.Equal(_expirations, _cache.Expirations);
        }

        private void CompareWhatLeft()
        {
            Assert.Equal(_expectedToLeave.Count, _left.Count);
            for (var i = 0; i < _left.Count; i++)
            {
                Assert.Equal(_expectedToLeave[i].Cause, _left[i].Cause);
                AssertIs(_expectedToLeave[i].Held, _left[i].Entry);
            }

            _expectedToLeave.Clear();
            _left.Clear();
        }

        private void CompareOrder()
        {
            List<int> order = [];
            _cache.RemoveWhere(
                key =>
                {
                    order.Add(KeyOf(key));
                    return false;
                },
                RemovalCause.Invalidated);
            Assert.Equal(_held.Select(held => held.Key), order);
        }

        private Held? Find(int key) => _held.Find(held => held.Key == key);

        private bool Drop(Held? held, RemovalCause cause)
        {
            if (held is null)
            {
                return false;
            }

            _held.Remove(held);
            _bytes -= held.Size;
            _evictions += cause == RemovalCause.Evicted ? 1 : 0;
            _expirations += cause == RemovalCause.Expired ? 1 : 0;
            _expectedToLeave.Add((held, cause));
            return true;
        }

        private static void AssertIs(Held held, in Entry entry)
        {
            Assert.Equal(held.Key, KeyOf(entry.Key.Span));
            Assert.Equal(held.Value is null, entry.Absent);
            Assert.Equal(held.Value ?? [], entry.Value.ToArray());
            Assert.Equal(held.LoadedAt, entry.LoadedAt);
            Assert.Equal(held.ExpiresAt, entry.ExpiresAt);
        }
    }

    /// <summary>A new array each time, of four to eight bytes.</summary>
    private static byte[] KeyBytes(int key)
    {
        var bytes = new byte[4 + (key % 5)];
        BitConverter.TryWriteBytes(bytes, key);
        return bytes;
    }

    private static int KeyOf(ReadOnlySpan<byte> bytes) => BitConverter.ToInt32(bytes);
}
