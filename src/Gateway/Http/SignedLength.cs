using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace RpOrleans.Gateway.Http;

// "Content-Length: +1" is no length (RFC 9110, section 8.6), and what stands in front may read it as none; Kestrel takes it for
// 1, and the application never sees how it was written. So on its way to Kestrel the sign becomes what no parser takes.

/// <summary>Sees to it that a length with a sign is refused.</summary>
internal static class SignedLength
{
    private const byte Sign = (byte)'+';
    private static ReadOnlySpan<byte> Name => "content-length:"u8;

    /// <summary>Spoils it, if the bytes have one.</summary>
    /// <param name="buffer">What has arrived of a request's head, and perhaps more.</param>
    /// <param name="fromRequestLine">Whether it begins with the request line, or the empty lines that may come before.</param>
    public static void Spoil(in ReadOnlySequence<byte> buffer, bool fromRequestLine)
    {
        if (buffer.PositionOf(Sign) is null)
        {
            return; // nearly always
        }

        var reader = new SequenceReader<byte>(buffer);
        if (fromRequestLine)
        {
            reader.AdvancePastAny((byte)'\r', (byte)'\n');
        }

        // Kestrel takes whole lines only: one that is not whole yet is seen again.
        while (reader.TryReadTo(out ReadOnlySequence<byte> line, (byte)'\n') && line.Length > 1)
        {
            if (line.Length > Name.Length && Ascii.EqualsIgnoreCase(line.Slice(0, Name.Length).ToArray(), Name))
            {
                var value = new SequenceReader<byte>(line.Slice(Name.Length));
                value.AdvancePastAny((byte)' ', (byte)'\t');
                if (value.IsNext(Sign))
                {
                    MemoryMarshal.AsMemory(value.UnreadSequence.First).Span[0] = (byte)'x';
                }
            }
        }
    }
}
