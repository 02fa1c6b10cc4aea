namespace RpOrleans.Gateway.Resp;

// A browser can be made to send requests to any port, and what stands in their headers and bodies would be taken for inline
// commands. Redis hangs up at POST and at Host: (securityWarningCommand), which come after the first line; here that line is enough.

/// <summary>What other protocols send: whoever speaks one is hung up on.</summary>
internal static class OtherProtocols
{
    /// <summary>Whether a line is the beginning of a TLS handshake.</summary>
    public static bool IsTls(ReadOnlySpan<byte> line) => line.StartsWith((ReadOnlySpan<byte>)[0x16, 0x03]);

    /// <summary>Whether an inline command is the first line of an HTTP request.</summary>
    public static bool IsRequestLine(List<byte[]> words) => words.Count == 3 && words[2].AsSpan().StartsWith("HTTP/"u8);

    /// <summary>Whether a command is what Redis takes for HTTP too, in either form.</summary>
    public static bool IsHttp(in Request request) => request.Name.Length switch
    {
        4 => request.Is(0, "POST"u8),
        5 => request.Is(0, "HOST:"u8),
        _ => false,
    };
}
