using System.Diagnostics;
using System.Numerics;

namespace RpOrleans.Grains.Lru;

// A hierarchical timing wheel (Varghese & Lauck, "Hashed and Hierarchical Timing Wheels", 1987): time runs in ticks of 50 ms, a
// tick's number is written in digits of six bits, and each digit has a wheel of 64 buckets. An entry lies at the highest digit
// in which the tick at which it is due differs from the present one; when that digit comes round its bucket is opened, and
// its entries go down to where they differ next, until they are due.
//
// Adding and removing touch one bucket. An entry goes down at most once for each digit: three times in four hours, five in a year.
// A bit for each bucket tells which are occupied, so that time without entries costs nothing however far the clock has
// jumped. Eleven digits make up 64 bits: no entry lies beyond the last wheel.
//
// What it gives up is exactness: an entry is due at the first tick at or after its expiry, never before it and less than a
// tick later. Those who must not be given an expired entry look at its own timestamp.

/// <summary>The entries by the time at which they expire, or, where they are retained after that, at which that is over.</summary>
/// <param name="entries">The entries, through which the buckets' lists run.</param>
/// <param name="start">A timestamp before which no entry expires.</param>
/// <param name="frequency">Timestamps in a second.</param>
/// <param name="retention">How long after its expiry an entry is retained at most.</param>
// No lock: the owning grain runs one turn at a time, and nothing here awaits.
internal sealed class TimerWheel(EntryTable entries, long start, long frequency, long retention = 0)
{
    private const int TicksInASecond = 20;
    private const int DigitBits = 6;
    private const int BucketsInAWheel = 1 << DigitBits;
    private const int Wheels = 11;
    private const int None = -1;

    private readonly ulong _tick = (ulong)Math.Max(1, frequency / TicksInASecond);
    private readonly int[] _buckets = new int[Wheels * BucketsInAWheel]; // the first entry of each; 0 for none
    private readonly ulong[] _occupied = new ulong[Wheels];
    private ulong _present;    // no entry is due before this tick
    private int _open = None;  // the bucket that the present tick has reached, while it is being emptied

    /// <summary>Adds an entry, which expires later than any timestamp that <see cref="NextDue"/> was called with.</summary>
    public void Add(int number) => Place(number, DueTick(entries[number]));

    /// <summary>Takes an entry out.</summary>
    public void Remove(int number)
    {
        var (next, previous) = (entries[number].NextInBucket, entries[number].PreviousInBucket);
        if (next != 0)
        {
            entries[next].PreviousInBucket = previous;
        }

        if (previous >= 0)
        {
            entries[previous].NextInBucket = next;
        }
        else
        {
            var bucket = ~previous;
            _buckets[bucket] = next;
            if (next == 0)
            {
                _occupied[bucket / BucketsInAWheel] &= ~(1UL << bucket); // the shift takes the last six bits
            }
        }
    }

    /// <summary>An entry has another number now.</summary>
    public void Move(int to)
    {
        var (next, previous) = (entries[to].NextInBucket, entries[to].PreviousInBucket);
        if (next != 0)
        {
            entries[next].PreviousInBucket = to;
        }

        if (previous >= 0)
        {
            entries[previous].NextInBucket = to;
        }
        else
        {
            _buckets[~previous] = to;
        }
    }

    /// <summary>An entry that is due, for the caller to remove.</summary>
    /// <param name="now">The present timestamp.</param>
    /// <param name="steps">How many entries may still be looked at; goes down by those that were.</param>
    /// <returns>Its number; 0 when none is due, or the steps are used up: the next call goes on from there.</returns>
    public int NextDue(long now, ref int steps)
    {
        var reached = (ulong)(now - start) / _tick;
        while (steps > 0)
        {
            if (_open == None || _buckets[_open] is 0)
            {
                _open = NextBucket(reached);
                if (_open == None)
                {
                    return 0;
                }

                continue;
            }

            steps--;
            var number = _buckets[_open];
            var due = DueTick(entries[number]);
            if (due <= _present)
            {
                return number;
            }

            Remove(number);
            Place(number, due);
        }

        return 0;
    }

    /// <summary>Goes on to the earliest occupied bucket, or to the tick that the clock has reached if that comes first.</summary>
    private int NextBucket(ulong reached)
    {
        // A lower wheel lies wholly before the next bucket of a higher one, and within a wheel all lie ahead: none wraps round.
        for (var wheel = 0; wheel < Wheels; wheel++)
        {
            if (_occupied[wheel] == 0)
            {
                continue;
            }

            var bucket = BitOperations.TrailingZeroCount(_occupied[wheel]);
            var shift = wheel * DigitBits;
            var higherDigits = _present >> shift >> DigitBits << DigitBits;
            var firstTick = (higherDigits | (uint)bucket) << shift;
            if (firstTick > reached)
            {
                break;
            }

            _present = firstTick;
            return (wheel * BucketsInAWheel) + bucket;
        }

        _present = reached;
        return None;
    }

    private void Place(int number, ulong due)
    {
        // The digit is greater than the present one, so an open bucket is never added to.
        Debug.Assert(due > _present, "An entry that is due already would lie in a bucket that is not looked at again.");
        var wheel = BitOperations.Log2(due ^ _present) / DigitBits;
        var digit = (int)(due >> (wheel * DigitBits)) & (BucketsInAWheel - 1);
        _occupied[wheel] |= 1UL << digit;

        var bucket = (wheel * BucketsInAWheel) + digit;
        var first = _buckets[bucket];
        (entries[number].NextInBucket, entries[number].PreviousInBucket) = (first, ~bucket);
        if (first != 0)
        {
            entries[first].PreviousInBucket = number;
        }

        _buckets[bucket] = number;
    }

    /// <summary>The first tick at or after the entry's removal.</summary>
    private ulong DueTick(in EntrySlot entry) => (((ulong)(entry.RetainedUntil(retention) - start) - 1) / _tick) + 1;
}
