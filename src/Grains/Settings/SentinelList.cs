using System.Globalization;

namespace RpOrleans.Grains.Settings;

/// <summary>A server's host name or address, and its port.</summary>
/// <param name="Host">Host name or address, an IPv6 one without brackets.</param>
/// <param name="Port">The port.</param>
public sealed record Server(string Host, int Port);

/// <summary>A master, and the sentinels that know which server it is.</summary>
/// <param name="Master">The name under which they watch it.</param>
/// <param name="Sentinels">Where they are.</param>
public sealed record SentinelList(string Master, IReadOnlyList<Server> Sentinels)
{
    /// <summary>What <see cref="Parse"/> takes.</summary>
    public const string Pattern = @"[\w.-]+@" + One + "(," + One + ")*";

    private const string One = @"(\[[0-9a-fA-F:.]+\]|[^:@,\s\[\]]+)(:\d{1,5})?";
    private const int DefaultPort = 26379;

    /// <summary>Takes <c>name@host:port,host:port</c> apart; a port that is missing is 26379.</summary>
    /// <returns>What it says; <see langword="null"/> when a port is out of range.</returns>
    public static SentinelList? Parse(string text)
    {
        var at = text.IndexOf('@');
        var sentinels = text[(at + 1)..].Split(',').Select(ServerOf).ToArray();
        return sentinels.Any(server => server.Port is < 1 or > 65535) ? null : new SentinelList(text[..at], sentinels);
    }

    private static Server ServerOf(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon < 0 || text.EndsWith(']')
            ? new Server(text.Trim('[', ']'), DefaultPort)
            : new Server(text[..colon].Trim('[', ']'), int.Parse(text.AsSpan(colon + 1), CultureInfo.InvariantCulture));
    }
}
