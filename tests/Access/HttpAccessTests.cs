using System.Text;
using RpOrleans.Tests.Http;
using RpOrleans.Tests.Support;
using Xunit;

namespace RpOrleans.Tests.Access;

/// <summary>The same users over HTTP.</summary>
[Collection(AccessCollection.Name)]
public sealed class HttpAccessTests(AccessFixture fixture)
{
    private static readonly string _default = Basic("default", UsersForTests.Password);
    private static readonly string _reader = Basic("reader", UsersForTests.Reader);
    private static readonly string _app = Basic("app", UsersForTests.App);
    private static readonly string _appReader = Basic("app-reader", UsersForTests.AppReader);

    public static TheoryData<string[]> Strangers => new(
        [], ["Authorization: Basic"], ["Authorization: Basic ???"], ["Authorization: Basic bm9jb2xvbg=="], ["Authorization: Digest x"], ["Authorization: "],
        [Basic("reader", "wrong")], [Basic("nobody", UsersForTests.Reader)], [Basic("reader", UsersForTests.App)], [Basic("", "wrong")],
        ["Authorization: Bearer"], ["Authorization: Bearer wrong"], [$"Authorization: Bearer {UsersForTests.Reader}"], [$"Authorization: Bearer app:{UsersForTests.Reader}"],
        [Basic("reader", UsersForTests.Reader), Basic("reader", UsersForTests.Reader)]);

    private RunningGateway Gateway => fixture.Gateway;

    [SkippableTheory]
    [MemberData(nameof(Strangers))]
    public async Task StrangersAreAskedWhoTheyAre(string[] headers)
    {
        foreach (var (method, target) in new[] { ("GET", "/get/app:key"), ("HEAD", "/v1/keys/app:key"), ("PUT", "/v1/keys/app:key"), ("DELETE", "/v1/keys/app:key"), ("POST", "/"), ("POST", "/v1/keys:batchGet"), ("GET", "/nothing"), ("GET", "/get/%zz") })
        {
            var answer = await Gateway.SendAsync(method, target, method is "PUT" or "POST" ? "{}"u8.ToArray() : null, headers);

            Assert.Equal(401, answer.Status);
            Assert.Equal(["Basic realm=\"rporleans\", charset=\"UTF-8\"", "Bearer realm=\"rporleans\""], answer.Headers.Where(header => header.Name == "WWW-Authenticate").Select(header => header.Value));
            Assert.Equal("application/problem+json", answer["Content-Type"]);
        }
    }

    [SkippableFact]
    public async Task HomePageIsForEverybody()
    {
        Assert.Equal((200, "Proxy server running."), ((await Gateway.GetAsync("/")).Status, (await Gateway.GetAsync("/")).Text));
        Assert.Equal(200, (await Gateway.SendAsync("HEAD", "/", null)).Status);
    }

    [SkippableFact]
    public async Task UsersAreKnownByEitherScheme()
    {
        foreach (var header in new[]
                 {
                     _default, _reader, _app, _appReader, Basic("", UsersForTests.Password), _app.Replace("Basic", "bASIC"),
                     $"Authorization: Bearer {UsersForTests.Password}", $"Authorization: Bearer default:{UsersForTests.Password}", $"Authorization: Bearer app:{UsersForTests.App}",
                 })
        {
            Assert.Equal("mine", Encoding.UTF8.GetString((await Gateway.ReadAsync("/get/app:key", header)).Value));
        }
    }

    [SkippableFact]
    public async Task UsersDoWhatTheyMayAndNothingElse()
    {
        (string Method, string Target, string? Body, int Default, int Reader, int App, int AppReader)[] table =
        [
            ("GET", "/get/app:key", null, 200, 200, 200, 200),
            ("GET", "/get/other", null, 200, 200, 403, 403),
            ("HEAD", "/v1/keys/other", null, 200, 200, 403, 403),
            ("GET", "/v1/keys/app%3akey", null, 200, 200, 200, 200),
            ("PUT", "/v1/keys/app:put", "x", 204, 403, 204, 403),
            ("PUT", "/v1/keys/put", "x", 204, 403, 403, 403),
            ("DELETE", "/v1/keys/app:put", null, 204, 403, 204, 403),
            ("DELETE", "/v1/keys/put", null, 204, 403, 403, 403),
            ("POST", "/", """{"k": "app:post", "v": 1}""", 200, 403, 200, 403),
            ("POST", "/set", """{"k": "post", "v": 1}""", 200, 403, 403, 403),
            ("POST", "/v1/keys:batchGet", """{"keys": ["app:key", "app:none"]}""", 200, 200, 200, 200),
            ("POST", "/v1/keys:batchGet", """{"keys": ["app:key", "other"]}""", 200, 200, 403, 403),
            ("PATCH", "/v1/keys/other", null, 405, 405, 405, 405),
            ("GET", "/nothing", null, 404, 404, 404, 404),
        ];
        foreach (var row in table)
        {
            foreach (var (user, status) in new[] { (_default, row.Default), (_reader, row.Reader), (_app, row.App), (_appReader, row.AppReader) })
            {
                var answer = await Gateway.SendAsync(row.Method, row.Target, row.Body is null ? null : Encoding.UTF8.GetBytes(row.Body), user);

                Assert.True(answer.Status == status, $"{row.Method} {row.Target} {user}: {answer}");
                if (status == 403)
                {
                    Assert.Equal("application/problem+json", answer["Content-Type"]);
                    Assert.DoesNotContain("other", answer.Text);
                    Assert.DoesNotContain("hidden", answer.Text);
                }
            }
        }
    }

    [SkippableFact]
    public async Task RefusedBodyIsNotTakenForTheNextRequest()
    {
        using var connection = await RawHttp.ConnectAsync(Gateway.Port);
        await connection.SendAsync(RawHttp.Request("PUT", "/v1/keys/app:key", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray()));

        Assert.Equal(401, (await connection.ReceiveAsync()).Status);
        await connection.SendAsync(RawHttp.Request("GET", "/get/app:key", null, _reader));
        Assert.True(await connection.TryReceiveAsync() is null or { Status: 200, Text: "{\"value\": \"mine\", \"source\": \"cache\"}" or "{\"value\": \"mine\", \"source\": \"redis\"}" });
    }

    private static string Basic(string name, string secret) => $"Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{secret}"))}";
}
