using System.Buffers;
using System.Globalization;
using System.Text;
using CsCheck;
using RpOrleans.Gateway.Resp;
using RpOrleans.Gateway.Resp.Upstream;
using RpOrleans.Grains.Origin;
using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Resp.Differential;

namespace RpOrleans.Tests.Resp;

// Not beside others: it takes all processors, and others measure time.

/// <summary>Where requests and replies end, in whatever pieces they come, and whatever else comes instead.</summary>
[Collection(ProcessesCollection.Name)]
public sealed class RequestParserTests
{
    private const int ArgumentsAtMost = 1_048_576;
    private const int LineAtMost = 65_536;

    /// <summary>Mutated frames that are tried; RPORLEANS_MUTATED_FRAMES sets another number.</summary>
    private static readonly int _frames = int.Parse(Environment.GetEnvironmentVariable("RPORLEANS_MUTATED_FRAMES") ?? "200000", CultureInfo.InvariantCulture);

    private static readonly Gen<byte[]> _word = Gen.Frequency((8, Gen.Byte.Array[0, 20]), (1, Gen.OneOf("\r\n"u8.ToArray(), "$5\r\n"u8.ToArray(), "*1\r\n"u8.ToArray(), [0])), (1, Gen.Byte.Array[0, 3_000]));

    private static readonly Gen<byte[]> _plainWord = Gen.Char["abcXYZ019:.-"].Array[1, 10].Select(letters => Encoding.ASCII.GetBytes(letters));

    private static readonly Gen<(byte[][] Words, byte[] Bytes)> _request = Gen.Frequency(
        (5, _word.Array[1, 8].Select(words => (words, Frame(words)))),
        (2, Gen.Select(_plainWord.Array[1, 5], Gen.OneOf("\r\n", "\n"), (words, end) => (words, (byte[])[.. words.SelectMany((word, i) => i == 0 ? word : [(byte)' ', .. word]), .. Encoding.ASCII.GetBytes(end)]))),
        (1, Gen.OneOf("\r\n", "\n", "*0\r\n", "*-1\r\n", "  \t \r\n").Select(nothing => (Array.Empty<byte[]>(), Encoding.ASCII.GetBytes(nothing)))));

    private static readonly Gen<byte[]> _reply = Gen.Recursive<byte[]>((depth, inner) =>
    {
        var line = Gen.Char["abc 019"].Array[0, 20].Select(letters => new string(letters));
        var flat = Gen.OneOf(
            Gen.Select(Gen.OneOf('+', '-', ',', '('), line, (type, text) => Ascii($"{type}{text}\r\n")),
            Gen.Long.Select(number => Ascii($":{number}\r\n")),
            Gen.OneOf("_\r\n", "$-1\r\n", "*-1\r\n", "#t\r\n", "#f\r\n", "*0\r\n", "%0\r\n", "~0\r\n", "$0\r\n\r\n").Select(Ascii),
            Gen.Select(Gen.OneOf('$', '!', '='), Gen.Byte.Array[0, 200], (type, bytes) => (byte[])[.. Ascii($"{type}{bytes.Length}\r\n"), .. bytes, .. "\r\n"u8]));
        return depth > 4 ? flat : Gen.Frequency(
            (3, flat),
            (1, Gen.Select(Gen.OneOf('*', '~', '>'), inner.Array[0, 5], (type, items) => (byte[])[.. Ascii($"{type}{items.Length}\r\n"), .. items.SelectMany(item => item)])),
            (1, Gen.Select(Gen.OneOf("%", "|"), inner.Array[0, 3], inner, (type, items, last) =>
                (byte[])[.. Ascii($"{type}{items.Length}\r\n"), .. items.SelectMany(item => item), .. items.SelectMany(item => item), .. type == "|" ? last : []])));
    });

    private static readonly Gen<int[]> _cuts = Gen.OneOf(Gen.Const(new[] { 1 }), Gen.Int[1, 40].Array[1, 10]); // how long the pieces are, in turn

    [Fact]
    public void AnySequenceInAnyPiecesGivesTheSameRequests() => Gen.Select(_request.Array[0, 12], _cuts).Sample(
        (requests, cuts) =>
        {
            using var reader = new Reader();
            reader.Feed([.. requests.SelectMany(request => request.Bytes)], cuts);

            Assert.Null(reader.Error);
            Assert.Equal(requests.Where(request => request.Words.Length > 0).Select(request => Printable(request.Words)), reader.Requests);
            Assert.Equal(0, reader.Held);
        },
        iter: 6_000, threads: 2);

    [Fact]
    public void WhatIsPassedOnIsTheRequestItself() => _word.Array[1, 8].Sample(
        words =>
        {
            using var reader = new Reader();
            reader.Feed(Frame(words), [1]);
            Assert.Equal([.. Frame(words)], reader.PassedOn);
        },
        iter: 2_000, threads: 2);

    [Fact]
    public void MutatedFramesNeitherThrowNorHoldMoreThanTheyAre() => Gen.Select(Frames.Mutated, _cuts).Sample(
        (frame, cuts) =>
        {
            using var whole = new Reader();
            whole.Feed(frame, [int.MaxValue]);
            using var pieces = new Reader();
            pieces.Feed(frame, cuts);

            Assert.True(pieces.MostHeld <= frame.Length, $"{pieces.MostHeld} bytes are held of {frame.Length}.");
            Assert.Equal(whole.Error, pieces.Error);
            Assert.Equal(whole.Requests, pieces.Requests);
        },
        iter: _frames, threads: 2);

    [Fact]
    public void LimitsAreRedissOwn()
    {
        Assert.Null(ErrorOf($"*{ArgumentsAtMost}\r\n"));
        Assert.Equal(ProtocolError.InvalidCount, ErrorOf($"*{ArgumentsAtMost + 1}\r\n"));
        Assert.Null(ErrorOf($"*1\r\n${512 * 1024 * 1024}\r\n"));
        Assert.Equal(ProtocolError.InvalidLength, ErrorOf($"*1\r\n${(512 * 1024 * 1024) + 1}\r\n"));
        Assert.Null(ErrorOf(new string('x', LineAtMost)));
        Assert.Equal(ProtocolError.TooBigInline, ErrorOf(new string('x', LineAtMost + 1)));
        Assert.Equal(ProtocolError.TooBigCount, ErrorOf("*" + new string('1', LineAtMost)));
        Assert.Equal(ProtocolError.TooBigLength, ErrorOf("*1\r\n$" + new string('1', LineAtMost)));
    }

    [Fact]
    public void WhoHasNotLoggedInMaySendLittle()
    {
        Assert.Null(ErrorOf("*10\r\n", trusted: false));
        Assert.Equal(ProtocolError.UnauthenticatedCount, ErrorOf("*11\r\n", trusted: false));
        Assert.Null(ErrorOf("*1\r\n$16384\r\n", trusted: false));
        Assert.Equal(ProtocolError.UnauthenticatedLength, ErrorOf("*1\r\n$16385\r\n", trusted: false));
    }

    [Fact]
    public void AnnouncedLengthsTakeNoMemory()
    {
        using var reader = new Reader();
        var before = GC.GetAllocatedBytesForCurrentThread();
        reader.Feed(Ascii($"*{ArgumentsAtMost}\r\n$536870912\r\nabc"), [int.MaxValue]);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 64 * 1024);
        Assert.InRange(reader.Held, 1, 64);
    }

    [Fact]
    public void ReplyInAnyPiecesEndsWhereItEnds() => Gen.Select(_reply, Gen.Byte.Array[0, 20], _cuts).Sample(
        (reply, behind, cuts) =>
        {
            var scanner = default(ReplyScanner);
            scanner.Begin();
            var (at, ended, turn) = (0, false, 0);
            byte[] bytes = [.. reply, .. behind];
            while (!ended && at < bytes.Length)
            {
                var length = Math.Min(cuts[turn++ % cuts.Length], bytes.Length - at);
                var taken = scanner.Scan(bytes.AsSpan(at, length), out ended);
                Assert.True(ended || taken == length);
                at += taken;
            }

            Assert.True(ended);
            Assert.Equal(reply.Length, at);
        },
        iter: 6_000, threads: 2);

    [Fact]
    public void MutatedRepliesEndOrAreRefused() => Gen.Select(_reply, Mutation.Any(Frames.Splices).Array[1, 4], _cuts).Sample(
        (valid, mutations, cuts) =>
        {
            var bytes = mutations.Aggregate(valid, (reply, mutate) => mutate(reply));
            Assert.Equal(EndOf(bytes, [int.MaxValue]), EndOf(bytes, cuts));
        },
        iter: _frames / 10, threads: 2);

    private static int EndOf(byte[] bytes, int[] cuts)
    {
        var scanner = default(ReplyScanner);
        scanner.Begin();
        try
        {
            for (var (at, turn) = (0, 0); at < bytes.Length;)
            {
                at += scanner.Scan(bytes.AsSpan(at, Math.Min(cuts[turn++ % cuts.Length], bytes.Length - at)), out var ended);
                if (ended)
                {
                    return at;
                }
            }

            return -1;
        }
        catch (OriginException)
        {
            return -2;
        }
    }

    private static ProtocolError? ErrorOf(string bytes, bool trusted = true)
    {
        using var reader = new Reader { Trusted = trusted };
        reader.Feed(Ascii(bytes), [int.MaxValue]);
        return reader.Error;
    }

    private static byte[] Frame(params byte[][] words) => [.. Ascii($"*{words.Length}\r\n"), .. words.SelectMany(word => (byte[])[.. Ascii($"${word.Length}\r\n"), .. word, .. "\r\n"u8])];

    private static byte[] Ascii(string text) => Encoding.Latin1.GetBytes(text);

    private static string Printable(IEnumerable<byte[]> words) => string.Join(' ', words.Select(Convert.ToHexString));

    /// <summary>Reads requests as a session does.</summary>
    private sealed class Reader : IDisposable
    {
        private readonly RequestParser _parser = new();
        private readonly List<string> _requests = [];
        private readonly ArrayBufferWriter<byte> _passedOn = new();

        public IReadOnlyList<string> Requests => _requests;

        public byte[] PassedOn => _passedOn.WrittenSpan.ToArray();

        public ProtocolError? Error => _parser.Error;

        public int Held => _parser.Held;

        public int MostHeld { get; private set; }

        public bool Trusted
        {
            init => _parser.Trusted = value;
        }

        public void Feed(byte[] bytes, int[] cuts)
        {
            for (var (at, turn) = (0, 0); at < bytes.Length && _parser.Error is null;)
            {
                var length = Math.Min(cuts[turn++ % cuts.Length], bytes.Length - at);
                _parser.Append(new ReadOnlySequence<byte>(bytes, at, length));
                at += length;
                while (_parser.TryRead(out var request))
                {
                    _requests.Add(Printable(Enumerable.Range(0, request.Count).Select(i => request[i].ToArray())));
                    _passedOn.Write(request.Bytes.Span);
                }

                MostHeld = Math.Max(MostHeld, _parser.Held);
                _parser.Release();
            }
        }

        public void Dispose() => _parser.Dispose();
    }
}
