namespace RpOrleans.Grains.Placement;

/// <summary>
/// Makes a node that has started the owner of its keys: once every other node has confirmed a view in which it is active, and
/// so has let go of them. Until then it stands in: two nodes that both keep copies of a key would not hear of each other's writes.
/// </summary>
internal sealed class Joining(IGrainFactory grains, Ownership ownership, TimeProvider time)
{
    /// <summary>In this time gateways learn of a node and connect to it; until then its keys are better off where they are.</summary>
    private static readonly TimeSpan _reached = TimeSpan.FromMilliseconds(600);

    private static readonly TimeSpan _retry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _answerAtMost = TimeSpan.FromMilliseconds(500);

    /// <summary>Asks the others until all have confirmed. One that does not answer is waited for until it does, or is declared dead.</summary>
    public async Task RunAsync()
    {
        while (!ownership.Active && !ownership.Draining)
        {
            await Task.Delay(_retry, time);
        }

        if (ownership.Others.Any())
        {
            await Task.Delay(_reached, time);
        }

        // Who becomes active later finds this node in the view that it starts with.
        var view = ownership.View;
        var confirmed = new HashSet<SiloAddress>();
        while (!ownership.Draining && ownership.Others.Where(node => !confirmed.Contains(node)).ToList() is { Count: > 0 } missing)
        {
            var answers = await Task.WhenAll(missing.Select(node => ConfirmsAsync(node, view)));
            confirmed.UnionWith(missing.Where((_, i) => answers[i]));
            if (!answers.All(confirms => confirms))
            {
                await Task.Delay(_retry, time);
            }
        }

        ownership.Join();
    }

    private async Task<bool> ConfirmsAsync(SiloAddress node, long view)
    {
        try
        {
            return await grains.GetGrain<ICacheGrain>(node.ToParsableString()).ConfirmAsync(view).AsTask().WaitAsync(_answerAtMost, time) >= view;
        }
        catch (Exception)
        {
            return false; // whatever it is that fails: it is asked again, as long as it is in the view
        }
    }
}
