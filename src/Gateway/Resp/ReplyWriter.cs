using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace RpOrleans.Gateway.Resp;

/// <summary>Replies in the Redis protocol (redis.io, "Redis serialization protocol specification").</summary>
internal static class ReplyWriter
{
    private const int LongestNumber = 20;

    /// <summary><c>+text</c></summary>
    public static void WriteSimple(this IBufferWriter<byte> output, ReadOnlySpan<byte> text) => output.WriteLine((byte)'+', text);

    /// <summary><c>-text</c></summary>
    public static void WriteError(this IBufferWriter<byte> output, string text) => output.WriteLine((byte)'-', Encoding.Latin1.GetBytes(text));

    /// <summary><c>:number</c></summary>
    public static void WriteInteger(this IBufferWriter<byte> output, long number) => output.WriteHead((byte)':', number);

    /// <summary><c>*count</c>, to be followed by so many replies.</summary>
    public static void WriteArrayHead(this IBufferWriter<byte> output, int count) => output.WriteHead((byte)'*', count);

    /// <summary>The head of a set, which in RESP2 is an array.</summary>
    public static void WriteSetHead(this IBufferWriter<byte> output, int count, int protocol) => output.WriteHead(protocol == 3 ? (byte)'~' : (byte)'*', count);

    /// <summary>The head of a map: of so many pairs in RESP3, of an array of twice as many in RESP2.</summary>
    public static void WriteMapHead(this IBufferWriter<byte> output, int pairs, int protocol) =>
        output.WriteHead(protocol == 3 ? (byte)'%' : (byte)'*', protocol == 3 ? pairs : 2 * pairs);

    /// <summary>The reply for what is not there.</summary>
    public static void WriteNull(this IBufferWriter<byte> output, int protocol) => output.Write(protocol == 3 ? "_\r\n"u8 : "$-1\r\n"u8);

    /// <summary><c>$length</c> and the bytes.</summary>
    public static void WriteBulk(this IBufferWriter<byte> output, ReadOnlySpan<byte> bytes)
    {
        var span = output.GetSpan(bytes.Length + LongestNumber + 5);
        span[0] = (byte)'$';
        Utf8Formatter.TryFormat(bytes.Length, span[1..], out var digits);
        var at = digits + 1;
        span[at++] = (byte)'\r';
        span[at++] = (byte)'\n';
        bytes.CopyTo(span[at..]);
        at += bytes.Length;
        span[at++] = (byte)'\r';
        span[at++] = (byte)'\n';
        output.Advance(at);
    }

    /// <summary>A text as a bulk string.</summary>
    public static void WriteBulk(this IBufferWriter<byte> output, string text) => output.WriteBulk(Encoding.UTF8.GetBytes(text));

    /// <summary>A text for people, which in RESP2 is a bulk string.</summary>
    public static void WriteVerbatim(this IBufferWriter<byte> output, string text, int protocol)
    {
        if (protocol == 2)
        {
            output.WriteBulk(text);
            return;
        }

        var bytes = Encoding.UTF8.GetBytes($"txt:{text}");
        output.WriteHead((byte)'=', bytes.Length);
        output.Write(bytes);
        output.Write("\r\n"u8);
    }

    private static void WriteHead(this IBufferWriter<byte> output, byte type, long number)
    {
        var span = output.GetSpan(LongestNumber + 3);
        span[0] = type;
        Utf8Formatter.TryFormat(number, span[1..], out var digits);
        span[digits + 1] = (byte)'\r';
        span[digits + 2] = (byte)'\n';
        output.Advance(digits + 3);
    }

    private static void WriteLine(this IBufferWriter<byte> output, byte type, ReadOnlySpan<byte> text)
    {
        var span = output.GetSpan(text.Length + 3);
        span[0] = type;
        text.CopyTo(span[1..]);
        span[text.Length + 1] = (byte)'\r';
        span[text.Length + 2] = (byte)'\n';
        output.Advance(text.Length + 3);
    }
}
