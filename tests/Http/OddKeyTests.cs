using System.Text;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Http;

/// <summary>A key is the bytes that the request target names, whatever they are, over every way to read and write it.</summary>
[Collection(GatewayCollection.Name)]
public class OddKeyTests(GatewayFixture fixture)
{
    /// <summary>A key as it stands in a target, and its bytes, one character each.</summary>
    public static TheoryData<string, string> Keys => new()
    {
        // plain
        { "a", "a" }, { "%61", "a" }, { "user:7", "user:7" }, { "user%3A7", "user:7" }, { "user%3a7", "user:7" }, { "-._~", "-._~" },
        { "!$&'()*,;=:@", "!$&'()*,;=:@" }, { "%21%24%26%27", "!$&'" }, { "0", "0" }, { "-1", "-1" }, { "nil", "nil" }, { "*", "*" },
        { "a=b&c=d", "a=b&c=d" }, { "a;b", "a;b" }, { "a,b", "a,b" }, { "a:b", "a:b" }, { "{a}", "{a}" }, { "a|b", "a|b" }, { "a^b", "a^b" },
        { "a`b", "a`b" }, { "[a]", "[a]" }, { "keys:batchGet", "keys:batchGet" }, { ":batchGet", ":batchGet" }, { "@", "@" },
        // plus and space
        { "a+b", "a+b" }, { "+", "+" }, { "%2B", "+" }, { "%2b", "+" }, { "a%20b", "a b" }, { "%20", " " }, { "%20a%20", " a " }, { "a+%20b", "a+ b" },
        // slashes and dots
        { "%2F", "/" }, { "%2f", "/" }, { "a%2Fb", "a/b" }, { "a%2F", "a/" }, { "%2F%2Fa", "//a" }, { "a%2F%2Fb", "a//b" }, { "..", ".." }, { ".", "." },
        { "...", "..." }, { "%2e%2e", ".." }, { "%2E", "." }, { "%2e%2e%2fetc%2fpasswd", "../etc/passwd" }, { "..%2F..%2Fa", "../../a" },
        { ".%2e", ".." }, { "..a", "..a" }, { "a..", "a.." }, { "a%2F..%2Fb", "a/../b" }, { "%5C", "\\" }, { "..%5c..%5ca", "..\\..\\a" }, { "a\\b", "a\\b" },
        { "http:%2F%2Fhost%2Fa", "http://host/a" }, { "C:", "C:" },
        // line ends and other controls
        { "%0d%0a", "\r\n" }, { "%0D%0AX-Injected:%201", "\r\nX-Injected: 1" }, { "a%0d%0a%0d%0aHTTP%2F1.1%20200%20OK", "a\r\n\r\nHTTP/1.1 200 OK" },
        { "%0a", "\n" }, { "%0d", "\r" }, { "%09", "\t" }, { "%1b%5b31m", "\u001b[31m" }, { "%7f", "\u007f" }, { "%01", "\u0001" }, { "%08", "\b" },
        { "%25%01%02", "%\u0001\u0002" }, { "a%0D%0ASet-Cookie:a=b", "a\r\nSet-Cookie:a=b" },
        // NUL
        { "%00", "\0" }, { "%00a", "\0a" }, { "a%00b", "a\0b" }, { "a%00", "a\0" }, { "%00%00%00", "\0\0\0" }, { "%00a%00b%00", "\0a\0b\0" },
        { "a%00%2Fb", "a\0/b" }, { "%00%2500", "\0%00" }, { "%00%01%02", "\0\u0001\u0002" }, { "%2500%00", "%00\0" }, { "%00%ff", "\0\u00ff" },
        { "%00%25", "\0%" }, { "%00.txt", "\0.txt" }, { "%000", "\00" }, { "%0000", "\000" },
        // percent, once only
        { "%25", "%" }, { "%2561", "%61" }, { "%2500", "%00" }, { "%252F", "%2F" }, { "%25252F", "%252F" }, { "%25%36%31", "%61" }, { "100%25", "100%" },
        { "%25%25", "%%" }, { "%252e%252e", "%2e%2e" }, { "%25zz", "%zz" }, { "%25u0041", "%u0041" },
        // quotes and markup
        { "%22", "\"" }, { "\"", "\"" }, { "'", "'" }, { "%27", "'" }, { "%3Cscript%3E", "<script>" }, { "<b>", "<b>" }, { "%22%5C%22", "\"\\\"" },
        { "%7B%22k%22:1%7D", "{\"k\":1}" },
        // question mark and number sign
        { "a%3Fb", "a?b" }, { "%3f", "?" }, { "a%3Fb%3Dc", "a?b=c" }, { "%23", "#" }, { "a%23b", "a#b" },
        // UTF-8
        { "%C3%A9", "\u00c3\u00a9" }, { "%c3%a9", "\u00c3\u00a9" }, { "e%CC%81", "e\u00cc\u0081" }, { "%E2%82%AC", "\u00e2\u0082\u00ac" },
        { "%F0%9F%98%80", "\u00f0\u009f\u0098\u0080" }, { "%F0%9F%91%A8%E2%80%8D%F0%9F%91%A9", "\u00f0\u009f\u0091\u00a8\u00e2\u0080\u008d\u00f0\u009f\u0091\u00a9" },
        { "%EF%BB%BFa", "\u00ef\u00bb\u00bfa" }, { "%E2%80%A8", "\u00e2\u0080\u00a8" }, { "%C2%85", "\u00c2\u0085" }, { "%C2%A0", "\u00c2\u00a0" },
        { "%E2%80%AEa", "\u00e2\u0080\u00aea" }, { "%EF%BF%BD", "\u00ef\u00bf\u00bd" },
        // not UTF-8
        { "%FF", "\u00ff" }, { "%ff", "\u00ff" }, { "%fF", "\u00ff" }, { "%FF%FE", "\u00ff\u00fe" }, { "%C3%28", "\u00c3(" }, { "%C3", "\u00c3" }, { "%80", "\u0080" }, { "a%80b", "a\u0080b" },
        { "%C0%80", "\u00c0\u0080" }, { "%C0%AE%C0%AE", "\u00c0\u00ae\u00c0\u00ae" }, { "%C0%AF", "\u00c0\u00af" }, { "%E0%80%AF", "\u00e0\u0080\u00af" },
        { "%ED%A0%80", "\u00ed\u00a0\u0080" }, { "%F5%80%80%80", "\u00f5\u0080\u0080\u0080" }, { "%F0%9F%98", "\u00f0\u009f\u0098" }, { "%FE%80", "\u00fe\u0080" }, { "%E9", "\u00e9" },
        // as long as allowed
        { new string('k', 1_024), new string('k', 1_024) },
        { string.Concat(Enumerable.Repeat("%6B", 1_024)), new string('k', 1_024) },
        { string.Concat(Enumerable.Repeat("%00", 1_024)), new string('\0', 1_024) },
        { string.Concat(Enumerable.Repeat("%fe", 1_024)), new string('\u00fe', 1_024) },
        { "%25" + new string('.', 1_023), "%" + new string('.', 1_023) },
    };

    private RunningGateway Gateway => fixture.Gateway;

    [SkippableTheory]
    [MemberData(nameof(Keys))]
    public async Task NamesTheSameBytesHowEverItIsReadOrWritten(string target, string key)
    {
        var bytes = Encoding.Latin1.GetBytes(key);
        var fresh = Guid.NewGuid().ToString();
        await Gateway.Redis.StringSetAsync(bytes, fresh);

        AssertPlain(await Gateway.GetAsync($"/get/{target}", "Cache-Control: no-cache"), fresh);
        AssertPlain(await Gateway.GetAsync($"/v1/keys/{target}", "Accept: application/octet-stream"), fresh);
        Assert.Equal("cache", (await Gateway.ReadAsync($"/get/{target}")).Source); // both are one entry

        var written = Guid.NewGuid().ToByteArray();
        AssertDone(await Gateway.SendAsync("PUT", $"/v1/keys/{target}", written));
        Assert.Equal(written, (byte[]?)await Gateway.Redis.StringGetAsync(bytes));
        Assert.Equal(written, (await Gateway.ReadAsync($"/get/{target}")).Value);

        AssertDone(await Gateway.SendAsync("DELETE", $"/v1/keys/{target}", null));
        Assert.False(await Gateway.Redis.KeyExistsAsync(bytes));
        var absent = await Gateway.GetAsync($"/get/{target}");
        Assert.Equal((404, "text/plain", "key was not found"), (absent.Status, absent["Content-Type"], absent.Text));
    }

    [SkippableFact]
    public async Task EveryByteIsAKeyOfItsOwn()
    {
        for (var b = 0; b < 256; b++)
        {
            byte[] key = [(byte)'b', (byte)'=', (byte)b];
            await Gateway.Redis.StringSetAsync(key, b);
            Assert.Equal($"{b}", Encoding.ASCII.GetString((await Gateway.ReadAsync($"/get/%62%3D%{b:X2}")).Value));
            Assert.Equal("cache", (await Gateway.ReadAsync($"/get/b=%{b:x2}")).Source);
        }
    }

    [SkippableFact]
    public async Task KeyOfJsonIsItsUtf8()
    {
        Assert.Equal(200, (await Gateway.PostAsync("/set", """{"k": "é\u0000\"/\ud83d\ude00", "v": "named in JSON"}""")).Status);

        Assert.Equal("named in JSON", (string?)await Gateway.Redis.StringGetAsync("é\0\"/😀"u8.ToArray()));
        Assert.Equal("named in JSON", Encoding.ASCII.GetString((await Gateway.ReadAsync("/get/%C3%A9%00%22%2F%F0%9F%98%80")).Value));
    }

    private static void AssertDone(RawAnswer answer) => Assert.True(answer.Status == 204, $"{answer}");

    private static void AssertPlain(RawAnswer answer, string value)
    {
        Assert.True(answer.Status == 200, $"{answer}");
        Assert.Contains(value, answer.Text, StringComparison.Ordinal);
        string[] expected =
        [
            "Content-Length", "Content-Type", "Date", "ETag", "Age", "Cache-Control", "Cache-Status", "X-Cache", "Vary", "X-Content-Type-Options",
        ];
        Assert.Equal(expected.Order(), answer.Headers.Select(header => header.Name).Order());
    }
}
