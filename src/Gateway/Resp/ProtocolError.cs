using System.Text;

namespace RpOrleans.Gateway.Resp;

/// <summary>What cannot be read as a request; the connection is closed after it is said. The words are Redis's (<c>networking.c</c>).</summary>
internal sealed record ProtocolError(string Text)
{
    public static readonly ProtocolError TooBigInline = new("too big inline request");
    public static readonly ProtocolError UnbalancedQuotes = new("unbalanced quotes in request");
    public static readonly ProtocolError TooBigCount = new("too big mbulk count string");
    public static readonly ProtocolError InvalidCount = new("invalid multibulk length");
    public static readonly ProtocolError UnauthenticatedCount = new("unauthenticated multibulk length");
    public static readonly ProtocolError TooBigLength = new("too big bulk count string");
    public static readonly ProtocolError InvalidLength = new("invalid bulk length");
    public static readonly ProtocolError UnauthenticatedLength = new("unauthenticated bulk length");

    /// <summary>Not even meant to be a request: nothing is said.</summary>
    public static readonly ProtocolError OtherProtocol = new("");

    /// <summary>The reply.</summary>
    public byte[] Reply => Text.Length == 0 ? [] : Encoding.Latin1.GetBytes($"-ERR Protocol error: {Text}\r\n");

    /// <summary>An argument began with something other than its length.</summary>
    public static ProtocolError Expected(byte got) => new($"expected '$', got '{(got is (byte)'\r' or (byte)'\n' ? ' ' : (char)got)}'");
}
