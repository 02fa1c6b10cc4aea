using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Http;

// Nearly all that is asked of a cache are plain reads, and for those a quarter of the processor's time went into what HTTP has
// beside them (docs/decisions/0015). So each is answered where it arrives, between the socket and Kestrel, if it is one beyond
// doubt and its answer is a simple one; all else Kestrel sees as it came. It sees a plain one too once a second: it closes
// connections over which no request comes.

/// <summary>Answers plain reads before Kestrel sees them.</summary>
internal sealed class DirectReads(Router router, CacheOptions options, GatewayMetrics metrics, IHostApplicationLifetime lifetime, TimeProvider time)
{
    private static readonly TimeSpan _shownEvery = TimeSpan.FromSeconds(1);

    /// <summary>For how long a client may take nothing of what is sent to it: as Kestrel's limit for that.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    /// <summary>What is sent before the next request of a pipeline is answered.</summary>
    private const int Much = 64 * 1024;

    /// <summary>Puts it between connections and Kestrel.</summary>
    public ConnectionDelegate Middleware(ConnectionDelegate next) => async connection =>
    {
        var transport = connection.Transport;
        var requests = new Requests(this, connection);
        connection.Features.Set(requests);
        connection.Transport = requests;
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = transport;
        }
    };

    private TimeProvider Time => time;

    /// <summary>Then each connection is to end with its next answer, which Kestrel sees to.</summary>
    private bool Stopping => lifetime.ApplicationStopping.IsCancellationRequested;

    private bool TryBegin(ReadOnlySpan<byte> bytes, out ValueTask<Routed<Lookup>> reading, out int length)
    {
        if (!PlainGet.TryRead(bytes, out var key, out length) || key.Length > options.MaximumKeyBytes)
        {
            reading = default;
            return false;
        }

        reading = router.ReadAsync(key);
        return true;
    }

    private bool TryAnswer(in Routed<Lookup> read, PipeWriter output)
    {
        var (lookup, fault) = read;
        if (fault != RouteFault.None || !DirectAnswer.TryWrite(output, lookup))
        {
            return false;
        }

        metrics.Count(ReadKey.OutcomeOf(lookup));
        return true;
    }

    /// <summary>What a client asks on one connection, but for what has been answered here.</summary>
    /// <param name="reads">Answers.</param>
    /// <param name="connection">The connection.</param>
    internal sealed class Requests(DirectReads reads, ConnectionContext connection) : PipeReader, IDuplexPipe
    {
        private readonly PipeReader _input = connection.Transport.Input;
        private bool _atHead = true; // where a request begins; not so while Kestrel has read a part of one
        private long _shownAt = reads.Time.GetTimestamp();
        private Routed<Lookup>? _known;

        public PipeReader Input => this;

        public PipeWriter Output { get; } = connection.Transport.Output;

        /// <summary>The request that Kestrel was shown has been read to its end: what comes next is the head of another.</summary>
        public void AwaitHead() => _atHead = true;

        /// <summary>What was found out of the key of the request that Kestrel was shown, if anything was.</summary>
        public Routed<Lookup>? TakeKnown()
        {
            var known = _known;
            _known = null;
            return known;
        }

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
            _atHead ? ReadUnansweredAsync(cancellationToken) : _input.ReadAsync(cancellationToken);

        public override bool TryRead(out ReadResult result)
        {
            var there = _input.TryRead(out result);
            _atHead &= !there;
            return there;
        }

        public override void AdvanceTo(SequencePosition consumed) => _input.AdvanceTo(consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => _input.AdvanceTo(consumed, examined);

        public override void CancelPendingRead() => _input.CancelPendingRead();

        public override void Complete(Exception? exception = null) => _input.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => _input.CompleteAsync(exception);

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))] // once a request
        private async ValueTask<ReadResult> ReadUnansweredAsync(CancellationToken cancellation)
        {
            while (true)
            {
                var read = await _input.ReadAsync(cancellation).ConfigureAwait(false);
                var answered = 0;
                if (!IsToBeShown(read))
                {
                    while (reads.TryBegin(read.Buffer.FirstSpan[answered..], out var reading, out var length))
                    {
                        var routed = await reading.ConfigureAwait(false);
                        if (!reads.TryAnswer(routed, Output))
                        {
                            _known = routed;
                            break;
                        }

                        answered += length;
                        if (Output.UnflushedBytes >= Much)
                        {
                            await FlushAsync().ConfigureAwait(false);
                        }
                    }
                }

                if (answered == 0)
                {
                    _atHead = false;
                    _shownAt = reads.Time.GetTimestamp();
                    return read;
                }

                _input.AdvanceTo(read.Buffer.GetPosition(answered));
                await FlushAsync().ConfigureAwait(false);
            }
        }

        private bool IsToBeShown(in ReadResult read) =>
            read.IsCanceled || _known is not null || reads.Stopping || reads.Time.GetElapsedTime(_shownAt) >= _shownEvery;

        private ValueTask FlushAsync()
        {
            var flush = Output.FlushAsync();
            return flush.IsCompletedSuccessfully ? default : new(WaitForClientAsync(flush.AsTask()));
        }

        private async Task WaitForClientAsync(Task flush)
        {
            try
            {
                await flush.WaitAsync(_patience, reads.Time).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                connection.Abort(new ConnectionAbortedException("The client does not read what is sent to it."));
                await flush.ConfigureAwait(false);
            }
        }
    }
}
