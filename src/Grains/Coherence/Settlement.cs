using RpOrleans.Grains.Placement;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Grains.Coherence;

/// <summary>
/// Settles writes that were carried out without the owner of their keys: once this is acknowledged, no node answers with what was
/// there before (docs/coherence.md, "When nodes do not agree on who owns a key").
/// </summary>
internal sealed class Settlement(IGrainFactory grains, Ownership ownership, CoherenceOptions coherence, TimeProvider time)
{
    /// <summary>Has every other node of every view that this one has held since drop its copies, and waits for those that do not answer until their copies are true again, or unusable.</summary>
    /// <param name="keys">The keys that were written; <see langword="null"/> when any may have been.</param>
    public async Task SettleAsync(byte[][]? keys)
    {
        // Redis has told of the write to whoever has confirmed itself since; nobody else may use a copy for longer than the bound.
        using var until = new CancellationTokenSource(coherence.Bound, time);
        var settling = new Dictionary<SiloAddress, Task>();
        while (ownership.Others.Where(node => !settling.ContainsKey(node)).ToList() is { Count: > 0 } more)
        {
            more.ForEach(node => settling.Add(node, SettleAtAsync(node, keys, until.Token)));
            await Task.WhenAll(settling.Values); // may have brought a newer view, with others in it
        }
    }

    private async Task SettleAtAsync(SiloAddress node, byte[][]? keys, CancellationToken until)
    {
        try
        {
            var grain = grains.GetGrain<ICacheGrain>(node.ToParsableString());
            var view = await grain.SettleAsync(new SettleRequest(keys, ownership.View)).AsTask().WaitAsync(until);
            await ownership.RefreshAsync(view, until);
        }
        catch (Exception)
        {
            // Whatever it is that fails: the node cannot be reached, or is not known to have settled.
            await Task.Delay(Timeout.InfiniteTimeSpan, time, until).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }
}
