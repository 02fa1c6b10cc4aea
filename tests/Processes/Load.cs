using System.Diagnostics;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Processes;

/// <summary>Readers that go on reading, alternately through all gateways, while a test does its worst.</summary>
// Each reads by the clock: so their throughput says whether answers come, not how busy the machine is; at full speed, on a machine
// with two cores, everything would be late for want of a processor. What a reader was held up for it does not make up for: the
// throughput before a fault would be that of one before, with all that was due then.
internal sealed class Load : IAsyncDisposable
{
    private const int ReadersCount = 16;
    private static readonly TimeSpan _period = TimeSpan.FromMilliseconds(8);

    private readonly int[] _ports;
    private readonly Keys _keys;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task<List<Answer>>[] _readers;
    private readonly Processor _processor = new();

    private Load(int[] ports, Keys keys)
    {
        (_ports, _keys) = (ports, keys);
        _readers = [.. Enumerable.Range(0, ReadersCount).Select(number => Task.Run(() => ReadAsync(number)))];
    }

    /// <summary>Puts keys into Redis, has all of them loaded, and starts reading.</summary>
    public static async Task<Load> StartAsync(ClusterFixture cluster, Keys keys)
    {
        await keys.FillAsync(cluster.Data);
        await WarmAsync(cluster.Ports, keys);
        var load = new Load(cluster.Ports, keys);
        await load.RunAsync(TimeSpan.FromSeconds(2));
        return load;
    }

    /// <summary>Reads every key through each gateway, until it is answered: processes that have just started may be slow at first.</summary>
    /// <returns>The answers, none of them wrong.</returns>
    public static async Task<List<Answer>> WarmAsync(int[] ports, Keys keys)
    {
        var parts = await Task.WhenAll(Enumerable.Range(0, ReadersCount).Select(number => Task.Run(async () =>
        {
            using var reader = new HttpReader(ports, keys);
            var answers = new List<Answer>();
            for (var key = number; key < keys.Count; key += ReadersCount)
            {
                for (var gateway = 0; gateway < ports.Length; gateway++)
                {
                    await Eventually.TrueAsync(
                        async () =>
                        {
                            answers.Add(await reader.ReadAsync(gateway, key));
                            return answers[^1].Verdict != Verdict.Failed;
                        },
                        TimeSpan.FromSeconds(20),
                        "a key is answered");
                }
            }

            return answers;
        })));
        List<Answer> all = [.. parts.SelectMany(part => part)];
        Assert.Empty(all.Where(answer => answer.Verdict is Verdict.Wrong or Verdict.Absent).Take(5));
        return all;
    }

    /// <summary>Lets the readers read on for so long.</summary>
    public Task RunAsync(TimeSpan span) => Task.Delay(span);

    /// <summary>Ends the reading.</summary>
    /// <returns>All answers.</returns>
    public async Task<Answers> StopAsync()
    {
        await _stopping.CancelAsync();
        var parts = await Task.WhenAll(_readers);
        return new Answers(parts.SelectMany(part => part), _processor.LongestWait);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_readers);
        _processor.Dispose();
        _stopping.Dispose();
    }

    private async Task<List<Answer>> ReadAsync(int number)
    {
        using var reader = new HttpReader(_ports, _keys);
        var random = new Random(number);
        var answers = new List<Answer>(16_384);
        var gone = new bool[_ports.Length];
        var gateway = number % _ports.Length;
        var clock = Stopwatch.StartNew();
        var due = TimeSpan.Zero;
        while (!_stopping.IsCancellationRequested)
        {
            var answer = await reader.ReadAsync(gateway, random.Next(_keys.Count));
            answers.Add(answer);

            // Whoever is told that a gateway closes goes to the other one, and does not come back.
            gone[gateway] |= answer is { Closes: true, Status: not 0 };
            gateway = (gateway + 1) % _ports.Length;
            if (gone[gateway])
            {
                gateway = (gateway + 1) % _ports.Length;
            }

            due += _period;
            var early = due - clock.Elapsed;
            if (early > TimeSpan.Zero)
            {
                await Task.Delay(early);
            }
            else
            {
                due = clock.Elapsed;
            }
        }

        return answers;
    }
}
