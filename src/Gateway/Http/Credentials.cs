using System.Text;
using Microsoft.Extensions.Primitives;
using RpOrleans.Gateway.Access;

namespace RpOrleans.Gateway.Http;

/// <summary>Who a request says it is from (RFC 9110, section 11): <c>Basic</c> (RFC 7617), or <c>Bearer</c> (RFC 6750).</summary>
/// <param name="Name">The user's name.</param>
/// <param name="Secret">What it says is the user's secret.</param>
internal readonly record struct Credentials(string Name, byte[] Secret)
{
    private const string Basic = "Basic ";
    private const string Bearer = "Bearer ";

    /// <summary>What is said to those who bring none, or wrong ones.</summary>
    public static StringValues Wanted { get; } = new(["Basic realm=\"rporleans\", charset=\"UTF-8\"", "Bearer realm=\"rporleans\""]);

    /// <summary>Reads them.</summary>
    /// <returns><see langword="null"/> when there are none that can be read, or more than one.</returns>
    public static Credentials? Of(HttpRequest request, Users users)
    {
        if (request.Headers.Authorization is not [{ } authorization])
        {
            return null;
        }

        return authorization.StartsWith(Basic, StringComparison.OrdinalIgnoreCase) ? OfBasic(authorization.AsSpan(Basic.Length).Trim(' '))
            : authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? OfBearer(authorization[Bearer.Length..].Trim(' '), users)
            : null;
    }

    private static Credentials? OfBasic(ReadOnlySpan<char> base64)
    {
        var bytes = new byte[base64.Length];
        if (!Convert.TryFromBase64Chars(base64, bytes, out var length) || bytes.AsSpan(0, length).IndexOf((byte)':') is not (>= 0 and var colon))
        {
            return null;
        }

        var name = Encoding.UTF8.GetString(bytes, 0, colon);
        return new Credentials(name.Length == 0 ? User.Default : name, bytes[(colon + 1)..length]);
    }

    /// <summary>A token is <c>name:secret</c>; or, unless it begins with the name of a user, the secret of the default user.</summary>
    private static Credentials OfBearer(string token, Users users) =>
        token.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon && users.Find(token[..colon]) is { } user
            ? new Credentials(user.Name, Encoding.UTF8.GetBytes(token[(colon + 1)..]))
            : new Credentials(User.Default, Encoding.UTF8.GetBytes(token));
}
