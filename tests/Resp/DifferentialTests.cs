using System.Globalization;
using CsCheck;
using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Resp.Differential;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Resp;

/// <summary>The same bytes to RpOrleans and to a redis-server with the same data, and the same bytes back.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class DifferentialTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Seed = "0000KDWWj1Y3"; // the same commands every time; another by RPORLEANS_DIFFERENTIAL_SEED

    private const int MostShown = 5;

    private static readonly int _commands = int.Parse(Environment.GetEnvironmentVariable("RPORLEANS_DIFFERENTIAL_COMMANDS") ?? "200000", CultureInfo.InvariantCulture);
    private static readonly string _seed = Environment.GetEnvironmentVariable("RPORLEANS_DIFFERENTIAL_SEED") ?? Seed;

    private BothServers _both = null!;

    public async Task InitializeAsync() => _both = await BothServers.StartAsync();

    public async Task DisposeAsync()
    {
        output.WriteLine(_both.Process.TakeReport());
        await _both.DisposeAsync();
    }

    [SkippableFact]
    public async Task CommandsOfEveryKindAreAnsweredAsRedisAnswersThem()
    {
        var cases = await CaseGen.ReadAsync(_both.RedisPort);
        var (compared, made) = (0, new HashSet<string>(StringComparer.OrdinalIgnoreCase));
        var differences = new List<string>();

        await cases.SampleAsync(
            async played =>
            {
                if (differences.Count == MostShown || compared >= _commands)
                {
                    return;
                }

                compared += played.Commands;
                made.UnionWith(played.Groups.SelectMany(group => group.Steps).SelectMany(step => new[] { step.Words[0], string.Join('|', step.Words.Take(2)) }));
                if (await _both.DifferenceAsync(played) is { } first)
                {
                    var shortest = await Shortest.OfAsync(played, async shorter => await _both.DifferenceAsync(shorter) is not null);
                    differences.Add($"{shortest}\n{await _both.DifferenceAsync(shortest) ?? $"Not when it was asked again; at first\n{first}"}");
                }
            },
            iter: _commands / 50, threads: 1, seed: _seed);

        Assert.True(differences.Count == 0, string.Join("\n\n", differences));
        Assert.True(compared >= _commands, $"Only {compared} commands were compared.");
        Assert.DoesNotContain(cases.Names, name => !made.Contains(name));
        output.WriteLine($"{compared} commands, {cases.Names.Count} different ones");
    }
}
