namespace RpOrleans.Grains.Lru;

// A record does not say whether it lives: it does if the index finds an entry under its key that lies just here. That costs a
// look-up for each, and saves every entry the bytes of a pointer back.

/// <summary>Writes anew what lives in the segments of which much is dead, a few records at a time.</summary>
/// <param name="log">The segments.</param>
/// <param name="index">Finds the entries.</param>
/// <param name="entries">The entries.</param>
internal sealed class Compaction(RecordLog log, KeyIndex index, EntryTable entries)
{
    /// <summary>For each byte that comes or goes so many are looked at: of a segment of which a tenth is dead, ten bytes give one back.</summary>
    private const int LookedAtForEach = 16;

    /// <summary>So many records are looked at in one step at most: a tenth of a millisecond.</summary>
    private const int RecordsAtOnce = 512;

    private int _segment;
    private byte[]? _bytes;
    private int _used;
    private int _at;

    /// <summary>Goes on for as long as a change of this size deserves.</summary>
    public void Step(int changed)
    {
        var bytes = (long)changed * LookedAtForEach;
        for (var records = 0; bytes > 0 && records < RecordsAtOnce; records++)
        {
            // A segment goes by itself once nothing in it lives.
            if ((_bytes is null || _at >= _used || !log.Holds(_segment, _bytes)) && !TryBegin())
            {
                return;
            }

            bytes -= Next();
        }
    }

    private bool TryBegin()
    {
        _bytes = null;
        if (!log.IsWasteful || log.TakeWorst(out _used) is not (not 0 and var worst))
        {
            return false;
        }

        (_segment, _bytes, _at) = (worst, log.BytesOf(worst), 0);
        return true;
    }

    private int Next()
    {
        var record = new Record(_bytes!, _at);
        var length = record.Length;
        var number = index.First((uint)KeyComparer.Instance.GetHashCode(record.KeySpan));
        while (number != 0)
        {
            ref var entry = ref entries[number];
            if (entry.Segment == _segment && entry.Offset == _at)
            {
                record.Span.CopyTo(log.Append(length, out var segment, out var offset));
                (entry.Segment, entry.Offset) = (segment, offset);
                log.Release(_segment, length);
                break;
            }

            number = entry.Next;
        }

        _at += length;
        return length;
    }
}
