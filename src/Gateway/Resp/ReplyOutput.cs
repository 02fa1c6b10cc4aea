using System.Buffers;
using System.IO.Pipelines;

namespace RpOrleans.Gateway.Resp;

/// <summary>Where replies go: to the client, or nowhere, if it wants none.</summary>
internal sealed class ReplyOutput(PipeWriter client, TimeProvider time) : IBufferWriter<byte>
{
    /// <summary>So much is gathered before it is sent, and the client waited for.</summary>
    public const int Much = 64 * 1024;

    /// <summary>How long what is sent at once may take, and a client that reads slowly longer by its size at this rate.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(8);
    private const double SlowestBytesPerSecond = 1024 * 1024;

    private byte[] _nowhere = [];
    private long _flushing; // since when; 0 while nothing is
    private long _gathered;
    private long _awaited;

    /// <summary>Bytes that have not been sent yet.</summary>
    public long Gathered => _gathered;

    /// <summary>Whether replies are dropped.</summary>
    public bool Muted { get; set; }

    /// <summary>Whether the client has taken too long over what it was sent.</summary>
    public bool Overdue =>
        Volatile.Read(ref _flushing) is not 0 and var since
        && time.GetElapsedTime(since) > _patience + TimeSpan.FromSeconds(Volatile.Read(ref _awaited) / SlowestBytesPerSecond);

    public void Advance(int count)
    {
        if (!Muted)
        {
            client.Advance(count);
            _gathered += count;
        }
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => Muted ? Nowhere(sizeHint) : client.GetMemory(sizeHint);

    public Span<byte> GetSpan(int sizeHint = 0) => Muted ? Nowhere(sizeHint) : client.GetSpan(sizeHint);

    /// <summary>Sends what is there; comes back when the client has taken enough of it.</summary>
    /// <returns>Whether the client is still there.</returns>
    public async ValueTask<bool> FlushAsync()
    {
        if (_gathered == 0)
        {
            return true;
        }

        Volatile.Write(ref _awaited, _gathered);
        _gathered = 0;
        var flush = client.FlushAsync();
        if (!flush.IsCompletedSuccessfully)
        {
            Volatile.Write(ref _flushing, time.GetTimestamp());
            try
            {
                return !(await flush.ConfigureAwait(false)).IsCompleted;
            }
            finally
            {
                Volatile.Write(ref _flushing, 0);
            }
        }

        return !flush.Result.IsCompleted;
    }

    private byte[] Nowhere(int sizeHint) => _nowhere = _nowhere.Length >= Math.Max(1, sizeHint) ? _nowhere : new byte[Math.Max(1024, sizeHint)];
}
