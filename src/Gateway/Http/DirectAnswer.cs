using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using RpOrleans.Grains;
using RpOrleans.Grains.Coherence;

namespace RpOrleans.Gateway.Http;

/// <summary>Writes the answer to a <see cref="PlainGet"/>, byte for byte as <see cref="ReadKey"/> has Kestrel write it.</summary>
internal static class DirectAnswer
{
    /// <summary>Larger values are left to Kestrel, which sends them piece by piece.</summary>
    private const int LongestValue = 16 * 1024;

    /// <summary>More than any head takes, without the value.</summary>
    private const int HeadAtMost = 1_024;

    private static DateField _date = new(0);

    /// <summary>Writes the answer to a read, if it is a simple one: a value that stands for itself in JSON, or that there is none.</summary>
    /// <returns>Whether it is; nothing is written otherwise.</returns>
    public static bool TryWrite(IBufferWriter<byte> output, in Lookup lookup)
    {
        switch (lookup.Status)
        {
            case LookupStatus.Found when lookup.Value.Length <= LongestValue && ValueJson.IsPlain(lookup.Value.Span):
                WriteFound(output, lookup);
                return true;
            case LookupStatus.Absent:
                WriteAbsent(output, lookup);
                return true;
            default:
                return false;
        }
    }

    private static void WriteFound(IBufferWriter<byte> output, in Lookup lookup)
    {
        var value = lookup.Value.Span;
        Span<byte> hash = stackalloc byte[16];
        XxHash128.Hash(value, hash);
        var head = new Text(output.GetSpan(HeadAtMost));
        head.Put("HTTP/1.1 200 OK\r\nContent-Length: "u8);
        head.Put(ReadKey.LengthOfPlain(value, lookup.Source));
        head.Put("\r\nContent-Type: application/json\r\nDate: "u8);
        head.Put(Now());
        head.Put("\r\nAge: "u8);
        head.Put(Math.Max(0, lookup.AgeMilliseconds / 1_000));
        head.Put("\r\nCache-Control: private, no-cache\r\nETag: W/\"j"u8);
        head.PutHex(hash);
        head.Put("\"\r\nVary: Accept\r\nX-Content-Type-Options: nosniff\r\nX-Cache: "u8);
        head.PutEnd(lookup);
        output.Advance(head.Length);
        ReadKey.WritePlain(output, value, lookup.Source);
    }

    private static void WriteAbsent(IBufferWriter<byte> output, in Lookup lookup)
    {
        var head = new Text(output.GetSpan(HeadAtMost));
        head.Put("HTTP/1.1 404 Not Found\r\nContent-Length: "u8);
        head.Put(PlainText.KeyNotFound.Length);
        head.Put("\r\nContent-Type: text/plain\r\nDate: "u8);
        head.Put(Now());
        head.Put("\r\nCache-Control: private, no-cache\r\nVary: Accept\r\nX-Content-Type-Options: nosniff\r\nX-Cache: "u8);
        head.PutEnd(lookup);
        head.Put(PlainText.KeyNotFound);
        output.Advance(head.Length);
    }

    private static ReadOnlySpan<byte> Now()
    {
        var second = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var date = _date;
        return (date.Second == second ? date : _date = new DateField(second)).Text;
    }

    /// <summary>A date as HTTP writes it (RFC 9110, section 5.6.7): the same for a second.</summary>
    private sealed class DateField(long second)
    {
        private readonly byte[] _text = Encoding.ASCII.GetBytes(DateTimeOffset.FromUnixTimeSeconds(second).ToString("R", CultureInfo.InvariantCulture));

        public long Second => second;

        public ReadOnlySpan<byte> Text => _text;
    }

    /// <summary>Text that is put together where it is sent from.</summary>
    private ref struct Text(Span<byte> to)
    {
        private readonly Span<byte> _to = to;

        public int Length { get; private set; }

        public void Put(scoped ReadOnlySpan<byte> text)
        {
            text.CopyTo(_to[Length..]);
            Length += text.Length;
        }

        public void Put(long number)
        {
            Utf8Formatter.TryFormat(number, _to[Length..], out var digits);
            Length += digits;
        }

        public void PutHex(scoped ReadOnlySpan<byte> bytes)
        {
            Convert.TryToHexStringLower(bytes, _to[Length..], out var digits);
            Length += digits;
        }

        /// <summary>Where the answer came from, and the end of the head.</summary>
        public void PutEnd(in Lookup lookup)
        {
            Length += Encoding.ASCII.GetBytes(KeyHeaders.Cache(lookup, default).ToString(), _to[Length..]);
            Put("\r\nCache-Status: "u8);
            if (KeyHeaders.IsFreshHit(lookup))
            {
                Put("rporleans; hit; ttl="u8); // in place: a string for each answer is what a hit would allocate
                Put(lookup.FreshMilliseconds / 1_000);
                Put(lookup.Freshness == Freshness.Tracking ? "; detail=tracking"u8 : "; detail=expiry"u8);
            }
            else
            {
                Length += Encoding.ASCII.GetBytes(KeyHeaders.CacheStatus(lookup, default).ToString(), _to[Length..]);
            }

            Put("\r\n\r\n"u8);
        }
    }
}
