using RpOrleans.Grains.Hosting;

/// <summary>
/// A node that is told to stop is drained before anything of it is stopped, its admin port included: until then whoever asks
/// is told that it is not ready.
/// </summary>
internal sealed class NodeDrain(NodeLifecycle node) : IHostedLifecycleService
{
    public Task StoppingAsync(CancellationToken cancellationToken) => node.DrainAsync(cancellationToken);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
