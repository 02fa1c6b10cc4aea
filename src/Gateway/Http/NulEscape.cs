using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace RpOrleans.Gateway.Http;

// Kestrel answers 400 to an encoded NUL (%00) in a path before the application sees the request, and has no switch for it.
// Keys are bytes, and NUL is one. So on its way to Kestrel a "%00" in a request line becomes an escape that no client can
// mean: it holds a control character, which a request target cannot have. Only request lines are looked at: the connection
// knows from the application when the next bytes are a request's head. Values in bodies are never touched.

/// <summary>Carries encoded NULs in request targets past Kestrel.</summary>
internal sealed class NulEscape(PipeReader inner) : PipeReader
{
    /// <summary>What stands in the target for <c>%00</c>, where <see cref="TakeUsed"/> says so.</summary>
    public const string Escape = "%\u0001\u0002";

    private static ReadOnlySpan<byte> EncodedNul => "%00"u8;

    private static ReadOnlySpan<byte> EscapeBytes => "%\u0001\u0002"u8;

    /// <summary>Whether the next bytes are a request's head, so that its first line may be changed.</summary>
    public bool AwaitingHead { get; set; } = true;

    private bool _used;

    /// <summary>Whether the request line that was read last had an encoded NUL; asked for once a request.</summary>
    public bool TakeUsed()
    {
        var used = _used;
        _used = false;
        return used;
    }

    /// <summary>Puts it between a connection and Kestrel.</summary>
    public static ConnectionDelegate Middleware(ConnectionDelegate next) => async connection =>
    {
        var transport = connection.Transport;
        var escape = new NulEscape(transport.Input);
        connection.Features.Set(escape);
        connection.Transport = new Duplex(escape, transport.Output);
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = transport;
        }
    };

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var read = inner.ReadAsync(cancellationToken);
        if (!AwaitingHead)
        {
            return read;
        }

        return read.IsCompletedSuccessfully ? new(Look(read.Result)) : LookLater(read);
    }

    public override bool TryRead(out ReadResult result)
    {
        if (!inner.TryRead(out result))
        {
            return false;
        }

        if (AwaitingHead)
        {
            Look(result);
        }

        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

    private async ValueTask<ReadResult> LookLater(ValueTask<ReadResult> read)
    {
        var result = await read.ConfigureAwait(false);
        return AwaitingHead ? Look(result) : result;
    }

    private ReadResult Look(ReadResult result)
    {
        var first = result.Buffer.FirstSpan;
        if (result.Buffer.IsSingleSegment && !HasNul(first))
        {
            return result;
        }

        Replace(result.Buffer);
        return result;
    }

    private static bool HasNul(ReadOnlySpan<byte> head)
    {
        var end = head.IndexOf((byte)'\n');
        return (end < 0 ? head : head[..end]).IndexOf(EncodedNul) >= 0;
    }

    private void Replace(ReadOnlySequence<byte> head)
    {
        var reader = new SequenceReader<byte>(head);
        reader.AdvancePastAny((byte)'\r', (byte)'\n'); // empty lines before a request line are ignored (RFC 9112, section 2.2)
        var line = reader.TryReadTo(out ReadOnlySequence<byte> whole, (byte)'\n', advancePastDelimiter: false) ? whole : reader.UnreadSequence;
        if (!IsRequestLine(line))
        {
            return;
        }

        reader = new SequenceReader<byte>(line);
        while (reader.TryReadTo(out ReadOnlySequence<byte> before, EncodedNul, advancePastDelimiter: false))
        {
            var nul = reader.UnreadSequence.Slice(0, EncodedNul.Length);
            var at = 0;
            foreach (var segment in nul)
            {
                // The buffer is the connection's own, and Kestrel too decodes in place.
                var writable = System.Runtime.InteropServices.MemoryMarshal.AsMemory(segment);
                EscapeBytes.Slice(at, segment.Length).CopyTo(writable.Span);
                at += segment.Length;
            }

            _used = true;
            reader.Advance(EncodedNul.Length);
        }
    }

    /// <summary>A method, a space, a slash: not the rest of a head whose request line is gone already.</summary>
    private static bool IsRequestLine(ReadOnlySequence<byte> line)
    {
        var reader = new SequenceReader<byte>(line);
        return reader.TryReadToAny(out ReadOnlySequence<byte> _, " :"u8, advancePastDelimiter: false)
               && reader.TryRead(out var delimiter) && delimiter == (byte)' '
               && reader.TryRead(out var slash) && slash == (byte)'/';
    }

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
