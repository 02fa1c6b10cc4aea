using System.Text;
using CsCheck;

namespace RpOrleans.Tests.Resp.Differential;

/// <summary>Requests of all forms, and what small damage makes of them.</summary>
internal static class Frames
{
    /// <summary>As clients send them.</summary>
    public static readonly byte[][] Valid =
    [
        Of(Command("GET", "key")), Of(Command("SET", "key", "value")), Of(Command("MGET", "", "\0\u00ff", "\r\n")), Of(Command("MULTI") + Command("INCR", "n") + Command("EXEC")), Of(Command("SET", "key", new string('v', 2_000))),
        Of("SET key \"a b\\n\\x00\\\"\" 'c \\' d'\r\n"), Of("PING\r\n\r\nECHO a\nGET key\r\n"), Of("*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n"), Of("*1048576\r\n$1\r\na\r\n"), Of("*2\r\n$3\r\nGET\r\n$536870912\r\nabc"),
        Of("*1\r\n*1\r\n$4\r\nPING\r\n"), Of("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Of("\u0016\u0003\u0001\0\u00c5\u0001\0\0\u00c1\u0003\u0003"),
    ];

    /// <summary>What means something between other bytes.</summary>
    public static readonly byte[][] Splices =
    [
        .. new[] { "\r\n", "\n", "\r", "\0", "*", "$", "-1", "0", "9", "*3000000000\r\n", "$-1\r\n", "$536870913\r\n", "*1\r\n", "\"", "'", "\\x", " ", ":1\r\n", "99999999999999999999" }.Select(Of),
    ];

    /// <summary>Damaged in one to four places.</summary>
    public static readonly Gen<byte[]> Mutated = Gen.Select(Gen.OneOf(Valid), Mutation.Any(Splices).Array[1, 4], (valid, mutations) => mutations.Aggregate(valid, (bytes, mutate) => mutate(bytes)));

    private static string Command(params string[] words) => RespSocket.Command(words);

    private static byte[] Of(string text) => Encoding.Latin1.GetBytes(text);
}
