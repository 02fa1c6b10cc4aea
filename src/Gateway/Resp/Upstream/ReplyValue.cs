using System.Globalization;
using System.Text;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Gateway.Resp.Upstream;

/// <summary>A reply that is for the gateway itself.</summary>
internal sealed class ReplyValue
{
    private static readonly ReplyValue[] _none = [];

    private ReplyValue(byte type, string text, ReplyValue[]? items) => (Type, Text, Items) = (type, text, items ?? _none);

    /// <summary>Its kind: the first byte.</summary>
    public byte Type { get; }

    /// <summary>What a line or a bulk string says, a byte a character; empty for null.</summary>
    public string Text { get; }

    /// <summary>What an array or a set holds, or a map's keys and values in turn.</summary>
    public IReadOnlyList<ReplyValue> Items { get; }

    public bool IsError => Type is (byte)'-' or (byte)'!';

    /// <summary>What a number says; 0 for anything else.</summary>
    public long Number => long.TryParse(Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : 0;

    /// <summary>The value that follows a key.</summary>
    public ReplyValue? this[string key]
    {
        get
        {
            for (var i = 0; i + 1 < Items.Count; i += 2)
            {
                if (Items[i].Text == key)
                {
                    return Items[i + 1];
                }
            }

            return null;
        }
    }

    /// <summary>Reads a whole reply.</summary>
    /// <exception cref="OriginException">It is not one.</exception>
    public static ReplyValue Parse(ReadOnlySpan<byte> reply)
    {
        var at = 0;
        return Parse(reply, ref at);
    }

    private static ReplyValue Parse(ReadOnlySpan<byte> reply, ref int at)
    {
        var rest = reply[at..];
        var end = rest.IndexOf("\r\n"u8);
        if (end < 1)
        {
            throw new OriginException(OriginFault.Protocol);
        }

        var type = rest[0];
        var line = Encoding.Latin1.GetString(rest[1..end]);
        at += end + 2;
        if (type is (byte)'+' or (byte)'-' or (byte)':' or (byte)'_' or (byte)'#' or (byte)',' or (byte)'(')
        {
            return new ReplyValue(type, line, null);
        }

        if (!int.TryParse(line, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var length) || length < -1)
        {
            throw new OriginException(OriginFault.Protocol);
        }

        if (type is (byte)'$' or (byte)'=' or (byte)'!')
        {
            var text = length < 0 ? "" : Encoding.Latin1.GetString(reply.Slice(at, length));
            at += length < 0 ? 0 : length + 2;
            return new ReplyValue(type, text, null);
        }

        var items = new ReplyValue[Math.Max(0, length) * (type == '%' ? 2 : 1)];
        for (var i = 0; i < items.Length; i++)
        {
            items[i] = Parse(reply, ref at);
        }

        return new ReplyValue(type, "", items);
    }
}
