using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;
using RpOrleans.Gateway;
using RpOrleans.Gateway.Access;
using RpOrleans.Grains.Settings;
using Xunit;

namespace RpOrleans.Tests.Access;

/// <summary>What a login costs, and whom it tells apart.</summary>
public sealed class LoginsTests : IDisposable
{
    private const int Rounds = 200_000;

    /// <summary>None gets through as many rounds in this time.</summary>
    private static readonly TimeSpan _fasterThanAnyProcessor = TimeSpan.FromMilliseconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly string _file = Path.GetTempFileName();
    private readonly Logins _logins;

    public LoginsTests()
    {
        File.WriteAllLines(_file, [$"slow {UsersForTests.Hash("right", Rounds)} read *", $"quick {UsersForTests.Hash("right")} read *"]);
        var reader = new SettingsReader(new ConfigurationBuilder().Build());
        _logins = new Logins(Users.Read(new GatewayOptions { Password = "right", UsersFile = _file }, reader)!, _time);
        reader.ThrowIfRejected();
    }

    [Fact]
    public async Task RightSecretIsRememberedWhileItIsUsed()
    {
        var first = await TimeOfAsync("slow", "right", known: true);
        var next = TimeSpan.Zero;
        for (var i = 0; i < 50; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(40));
            next += await TimeOfAsync("slow", "right", known: true);
        }

        Assert.True(next < first / 2, $"The first login took {first}, and 50 more {next}.");
        _time.Advance(TimeSpan.FromSeconds(61));
        var forgotten = await TimeOfAsync("slow", "right", known: true);
        Assert.True(forgotten > _fasterThanAnyProcessor, $"A login after more than a minute took {forgotten}.");
        Assert.Null(await _logins.LogInAsync("slow", "wrong"u8));
    }

    [Fact]
    public async Task WhatIsWrongTakesAsLongWhoeverItIs()
    {
        await TimeOfAsync("slow", "right", known: true);
        var best = new[] { "slow", "quick", "default", "nobody" }.ToDictionary(name => name, _ => TimeSpan.MaxValue);
        for (var round = 0; round < 20 && (round == 0 || best.Values.Max() >= 3 * best.Values.Min()); round++) // a busy machine takes more rounds
        {
            foreach (var name in best.Keys)
            {
                var took = await TimeOfAsync(name, "wrong", known: false);
                best[name] = took < best[name] ? took : best[name];
            }
        }

        Assert.True(best.Values.Min() > _fasterThanAnyProcessor && best.Values.Max() < 3 * best.Values.Min(), string.Join(", ", best));
    }

    [Fact]
    public async Task UsersThatLogInTogetherAreCheckedOnce()
    {
        var first = await TimeOfAsync("quick", "right", known: true);

        var began = Stopwatch.GetTimestamp();
        var users = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(_ => _logins.LogInAsync("slow", "right"u8).AsTask()));
        var all = Stopwatch.GetElapsedTime(began);

        Assert.All(users, user => Assert.Equal("slow", user?.Name));
        Assert.True(all < 300 * first, $"One login took {first}, and 1,000 together {all}.");
    }

    public void Dispose() => File.Delete(_file);

    private async Task<TimeSpan> TimeOfAsync(string name, string secret, bool known)
    {
        var began = Stopwatch.GetTimestamp();
        var user = await _logins.LogInAsync(name, System.Text.Encoding.UTF8.GetBytes(secret));
        var took = Stopwatch.GetElapsedTime(began);
        Assert.Equal(known ? name : null, user?.Name);
        return took;
    }
}
