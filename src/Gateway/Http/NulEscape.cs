using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;

namespace RpOrleans.Gateway.Http;

// Kestrel answers 400 to an encoded NUL (%00) in a path before the application sees the request, and has no switch for it.
// Keys are bytes, and NUL is one. So on its way to Kestrel a "%00" in a request line becomes an escape that no client can
// mean: it holds a control character, which a request target cannot have, and how many there are is remembered. Only request
// lines are looked at: one is awaited from when the application says so until Kestrel has taken it. The rest of a head, and
// values in bodies, are never touched.

/// <summary>Carries encoded NULs in request targets past Kestrel.</summary>
internal sealed class NulEscape(PipeReader inner) : PipeReader
{
    /// <summary>What stands in the target for <c>%00</c>, as often as <see cref="TakeUsed"/> says.</summary>
    public const string Escape = "%\u0001\u0002";

    private static ReadOnlySpan<byte> EncodedNul => "%00"u8;

    private static ReadOnlySpan<byte> EscapeBytes => "%\u0001\u0002"u8;

    private enum Next
    {
        RequestLine,
        RestOfHead,
        Body,
    }

    private Next _next = Next.RequestLine;
    private ReadOnlySequence<byte> _looked;
    private int _used;

    /// <summary>The head has been read; until <see cref="AwaitHead"/> nothing is touched any more.</summary>
    /// <returns>How many encoded NULs its request line had.</returns>
    public int TakeUsed()
    {
        _next = Next.Body;
        var used = _used;
        _used = 0;
        return used;
    }

    /// <summary>The request has been read to its end: the next bytes are a request's head.</summary>
    public void AwaitHead() => _next = Next.RequestLine;

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
        if (_next == Next.Body)
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

        if (_next != Next.Body)
        {
            Look(result);
        }

        return true;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_next == Next.RequestLine && !_looked.IsEmpty && HasLine(_looked.Slice(0, consumed)))
        {
            _next = Next.RestOfHead;
        }

        _looked = default;
        inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))] // once a request
    private async ValueTask<ReadResult> LookLater(ValueTask<ReadResult> read)
    {
        var result = await read.ConfigureAwait(false);
        return _next == Next.Body ? result : Look(result);
    }

    private ReadResult Look(ReadResult result)
    {
        _looked = result.Buffer;
        SignedLength.Spoil(result.Buffer, fromRequestLine: _next == Next.RequestLine);
        if (_next == Next.RequestLine && (!result.Buffer.IsSingleSegment || HasNul(result.Buffer.FirstSpan)))
        {
            Replace(result.Buffer);
        }

        return result;
    }

    /// <summary>Whether there is more than the empty lines that may come before a request.</summary>
    private static bool HasLine(ReadOnlySequence<byte> taken)
    {
        var reader = new SequenceReader<byte>(taken);
        reader.AdvancePastAny((byte)'\r', (byte)'\n');
        return !reader.End;
    }

    private static bool HasNul(ReadOnlySpan<byte> head)
    {
        head = head.TrimStart("\r\n"u8);
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

            _used++;
            reader.Advance(EncodedNul.Length);
        }
    }

    /// <summary>A method, a space, a slash: not what some other protocol begins with.</summary>
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
