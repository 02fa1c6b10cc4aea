using System.Buffers;
using System.Text;
using CsCheck;
using RpOrleans.Gateway.Resp;

namespace RpOrleans.Tests.Resp;

/// <summary>The reads that are looked for before all else are the ones that the parser would have found there.</summary>
public sealed class PlainReadTests
{
    private static readonly string[] _parts = ["*2", "*1", "*3", "$3", "$", "\r\n", "\r", "\n", "GET", "get", "SET", "+3", "03", "0", "-1", "5", "11", "99999999999", "\0", " ", "*2\r\n$3\r\nGET\r\n", "hello"];

    private static readonly Gen<byte[]> _mutated = Gen.Select(
        Gen.Select(Gen.OneOf("GET", "get", "Get", "GEx"), Gen.Byte.Array[0, 12]).Select((name, key) => (byte[])[.. Ascii($"*2\r\n$3\r\n{name}\r\n${key.Length}\r\n"), .. key, .. "\r\n"u8]),
        Gen.Byte.Array[0, 6],
        Gen.Select(Gen.Double.Unit, Gen.OneOf(_parts), Gen.Int[0, 2]).Array[0, 2],
        (frame, after, splices) => splices.Aggregate((byte[])[.. frame, .. after], static (bytes, splice) =>
        {
            var (where, part, over) = splice;
            var at = (int)(where * bytes.Length);
            return [.. bytes[..at], .. Ascii(part), .. bytes[Math.Min(bytes.Length, at + over)..]];
        }));

    [Fact]
    public void WhatIsTakenIsWhatTheParserReads()
    {
        var taken = 0;

        _mutated.Sample(
            bytes =>
            {
                if (!PlainGet.TryRead(bytes, out var key, out var length))
                {
                    return;
                }

                taken++;
                var parser = new RequestParser();
                parser.Append(new ReadOnlySequence<byte>(bytes, 0, length));
                Assert.True(parser.TryRead(out var request));
                Assert.Equal((2, "GET", Convert.ToHexString(key)), (request.Count, Encoding.ASCII.GetString(request.Name).ToUpperInvariant(), Convert.ToHexString(request[1])));
                Assert.False(parser.Begun);
                parser.Dispose();
            },
            iter: 200_000, threads: 1);

        Assert.True(taken > 50_000, $"{taken} were taken.");
    }

    [Theory]
    [InlineData("*2\r\n$3\r\nGET\r\n$5\r\nhello\r\n", true)]
    [InlineData("*2\r\n$3\r\ngEt\r\n$5\r\nhello\r\n", true)]
    [InlineData("*2\r\n$3\r\nGET\r\n$5\r\nhello\r", false)]
    [InlineData("*2\r\n$3\r\nGET\r\n$0\r\n\r\n", false)]
    [InlineData("*2\r\n$3\r\nGET\r\n$05\r\nhello\r\n", false)]
    [InlineData("*2\r\n$3\r\nGET\r\n$5 \r\nhello\r\n", false)]
    [InlineData("*2\r\n$3\r\nGET\r\n$99999999999\r\nhello\r\n", false)]
    [InlineData("*2\r\n$3\r\nGET\r\n$2147483647\r\nhello\r\n", false)]
    [InlineData("*3\r\n$3\r\nGET\r\n$5\r\nhello\r\n$1\r\na\r\n", false)]
    [InlineData("*2\r\n$4\r\nGETX\r\n$5\r\nhello\r\n", false)]
    [InlineData("GET hello\r\n", false)]
    [InlineData("", false)]
    public void OnlyTheUsualFormIsTaken(string received, bool taken) => Assert.Equal(taken, PlainGet.TryRead(Ascii(received), out _, out _));

    private static byte[] Ascii(string text) => Encoding.Latin1.GetBytes(text);
}
