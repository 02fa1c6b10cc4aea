using RpOrleans.Gateway.Http;
using RpOrleans.Gateway.Resp;

namespace RpOrleans.Gateway;

/// <summary>
/// A gateway that is told to stop is not ready from then on, closes each connection with its next answer, and goes on
/// serving until those who use it have gone elsewhere. The Redis protocol has no word for "the last answer": its clients are
/// sent away once a balancer sends them elsewhere, those who ask nothing at once.
/// </summary>
internal sealed class GatewayDrain(ConnectionLimit connections, RespClients clients, TimeProvider time) : IHostedLifecycleService
{
    private static readonly TimeSpan _noticed = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _atMost = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _step = TimeSpan.FromMilliseconds(50);

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // Long enough for a balancer to see that it is not ready; then until the connections that are in use have had their last answer, and are gone.
        var started = time.GetTimestamp();
        while (!cancellationToken.IsCancellationRequested
               && time.GetElapsedTime(started) is var elapsed
               && (elapsed < _noticed || (connections.Open > 0 && elapsed < _atMost)))
        {
            if (elapsed >= _noticed && !clients.Leaving)
            {
                clients.Leave();
            }

            await Task.Delay(_step, time, CancellationToken.None);
        }

        clients.AbortIdle();
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
