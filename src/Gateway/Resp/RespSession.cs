using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.AspNetCore.Connections;
using RpOrleans.Gateway.Resp.Commands;
using RpOrleans.Gateway.Resp.Upstream;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Gateway.Resp;

// Requests are answered in turn. Those that come together go together: reads that the cache can answer are looked up all at
// once, and what Redis has to answer is sent to it in one go. But a read behind a write waits for it, and the other way round;
// and what the client has just written is read from Redis, until its nodes have let go of what was there before.

/// <summary>One client's connection, from the first request to the last reply.</summary>
internal sealed class RespSession : IAsyncDisposable
{
    /// <summary>So many requests of a client are under way at most.</summary>
    private const int AtOnce = 128;

    /// <summary>How long a request may take to arrive, and one of many bytes longer by its size at this rate.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(8);
    private const double SlowestBytesPerSecond = 1024;

    private readonly ConnectionContext _connection;
    private readonly RespServices _services;
    private readonly RequestParser _parser = new();
    private readonly ReplyOutput _output;
    private readonly WrittenByClient _written;
    private readonly PassThrough _passThrough;
    private readonly ConnectionCommands _here;
    private readonly Dispatch _dispatch;
    private readonly List<(Request Request, Command? Command)> _run = [];
    private Subscriptions? _subscriptions;
    private Feed? _feed;
    private UpstreamConnection? _ofReplica; // over which it has said what it can do
    private long _requestBegun; // when the one that has not arrived whole did; 0 for none
    private bool _skipNext; // CLIENT REPLY SKIP
    private bool _leaving;

    public RespSession(ConnectionContext connection, RespServices services)
    {
        (_connection, _services) = (connection, services);
        _output = new ReplyOutput(connection.Transport.Output, services.Time);
        Client = new RespClient(services.Clients.NextId(), connection.RemoteEndPoint, connection.LocalEndPoint, services.Time.GetTimestamp())
        {
            Trusted = services.Open,
            Wake = connection.Transport.Input.CancelPendingRead,
            Abort = () => connection.Abort(),
            Held = () => _parser.Held,
            Overdue = () => _output.Overdue || RequestOverdue,
        };
        _written = services.NothingWritten();
        _passThrough = new PassThrough(services.Pool, Client, _written, services.NothingWritten(), _output, FlushAsync);
        _here = new ConnectionCommands(Client, services, _output);
        _dispatch = new Dispatch(Client, services, _passThrough, _written, _here, () => _feed is not null, () => _subscriptions?.Protocol);
    }

    public RespClient Client { get; }

    /// <summary>Serves the client until it leaves, or is sent away.</summary>
    public async Task RunAsync()
    {
        var input = _connection.Transport.Input;
        while (!_leaving)
        {
            var read = await input.ReadAsync().ConfigureAwait(false);
            Client.Answered = true;
            var answered = AnswerHits(read.Buffer.FirstSpan);
            _parser.Append(answered == 0 ? read.Buffer : read.Buffer.Slice(answered));
            input.AdvanceTo(read.Buffer.End);
            _parser.Trusted = Client.Trusted;
            var whole = answered > 0;
            while (!_leaving && Gather())
            {
                whole = true;
                Client.ActiveAt = _services.Time.GetTimestamp();
                await AnswerAsync().ConfigureAwait(false);
            }

            if (!_leaving && _parser.Error is { } error)
            {
                await EndFeedAsync().ConfigureAwait(false);
                _output.Muted |= _skipNext;
                _output.Write(error.Reply);
                _leaving = true;
            }

            TakeMessages();
            await FlushAsync().ConfigureAwait(false);
            _parser.Release();
            Volatile.Write(ref _requestBegun, !_parser.Begun ? 0 : whole || _requestBegun == 0 ? _services.Time.GetTimestamp() : _requestBegun);
            _leaving |= read.IsCompleted || _subscriptions is { Ended: true } || _feed is { Ended: true };
            _leaving |= _services.Clients.Leaving && !_parser.Begun && !_passThrough.HasState;
            Client.Answered = false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _written.SettleAsync().ConfigureAwait(false); // what was carried out, or may have been, though the client is not told of it
        _subscriptions?.Dispose();
        _passThrough.Dispose();
        ForgetReplica();
        _parser.Dispose();
        await EndFeedAsync().ConfigureAwait(false);
    }

    private bool RequestOverdue =>
        Volatile.Read(ref _requestBegun) is not 0 and var since
        && _services.Time.GetElapsedTime(since) > _patience + TimeSpan.FromSeconds(_parser.Held / SlowestBytesPerSecond);

    /// <summary>Most of what is asked for is held, and then nothing of what follows is needed; where anything is not as usual, it is not tried.</summary>
    private int AnswerHits(ReadOnlySpan<byte> received)
    {
        if (_parser.Begun || _output.Muted || _skipNext || Client.Subscribed || !_dispatch.TakesPlainReads)
        {
            return 0;
        }

        var answered = _services.Reads.AnswerHits(received, _services.Router, _output, Client.Protocol);
        if (answered > 0)
        {
            Client.ActiveAt = _services.Time.GetTimestamp();
            Client.LastCommand = "get";
        }

        return answered;
    }

    /// <summary>Takes the requests that are there.</summary>
    private bool Gather()
    {
        _run.Clear();
        var atOnce = Client.Trusted ? AtOnce : 1; // a login may be among them, and then the next may be longer
        while (_run.Count < atOnce && _parser.TryRead(out var request))
        {
            _run.Add((request, null));
        }

        return _run.Count > 0;
    }

    private async Task AnswerAsync()
    {
        var batch = _run.ToArray();
        for (var from = 0; from < batch.Length && !_leaving;)
        {
            var (way, command) = await _dispatch.WayOfAsync(batch[from].Request).ConfigureAwait(false);
            _run.Clear();
            _run.Add((batch[from++].Request, command));
            while (way is Way.Cache or Way.Redis && from < batch.Length && !_skipNext && _dispatch.TryWayOf(batch[from].Request, out var next, out command) && next == way)
            {
                _run.Add((batch[from++].Request, command));
            }

            Client.LastCommand = NameOf(_run[^1].Request, _run[^1].Command, way);
            await AnswerAsync(way).ConfigureAwait(false);
        }
    }

    private async Task AnswerAsync(Way way)
    {
        var skipped = _skipNext;
        _skipNext = false;
        _output.Muted |= skipped;
        var (request, command) = _run[0];
        switch (way)
        {
            case Way.Cache:
                await ReadAsync().ConfigureAwait(false);
                break;
            case Way.Redis:
                await _passThrough.PassAsync(_run).ConfigureAwait(false);
                _services.Metrics.Count(GatewayOutcome.Passed, _run.Count);
                break;
            case Way.RedisWaiting:
                await FlushAsync().ConfigureAwait(false);
                await _passThrough.PassBlockingAsync(request, command!, _connection.ConnectionClosed).ConfigureAwait(false);
                _services.Metrics.Count(GatewayOutcome.Passed);
                break;
            case Way.Subscriptions:
                await SubscribeAsync(request).ConfigureAwait(false);
                break;
            case Way.Feed:
                await FeedAsync(request).ConfigureAwait(false);
                break;
            case Way.Here:
                await AnswerHereAsync(request).ConfigureAwait(false);
                break;
            case Way.Refused:
                _services.Metrics.Count(GatewayOutcome.Rejected);
                _output.WriteError(_dispatch.Refusal!);
                await _passThrough.SpoilAsync().ConfigureAwait(false);
                break;
            case Way.Stranger:
                _services.Metrics.Count(GatewayOutcome.Rejected);
                _output.WriteError("NOAUTH Authentication required.");
                break;
            case Way.Hangup:
                _leaving = true;
                break;
        }

        _output.Muted = _here.ReplyMode == ReplyMode.Off;
    }

    /// <summary>What a command is called in <c>CLIENT LIST</c>.</summary>
    private string NameOf(Request request, Command? command, Way way) =>
        (command ?? _services.Commands.Find(request.Name)?.Of(request))?.Name
        ?? (way is Way.Cache or Way.Here ? Encoding.ASCII.GetString(request.Name).ToLowerInvariant() : "NULL");

    private async Task ReadAsync()
    {
        var reads = _services.RentReads();
        reads.Clear(); // it may be of an older view
        foreach (var (request, _) in _run)
        {
            var keys = CachedReads.KeysOf(_services.Reads.Recognize(request), request);
            for (var i = 1; i <= keys; i++)
            {
                reads.Add(request[i]);
            }
        }

        await reads.ReadAsync().ConfigureAwait(false);
        var at = 0;
        for (var i = 0; i < _run.Count; i++)
        {
            var request = _run[i].Request;
            var read = _services.Reads.Recognize(request);
            var answers = CollectionsMarshal.AsSpan(reads.Answers).Slice(at, CachedReads.KeysOf(read, request));
            at += answers.Length;
            if (!_services.Reads.TryReply(read, request, answers, _output, Client.Protocol))
            {
                await _passThrough.PassAsync([(request, _services.Commands.Find(request.Name) ?? CachedReads.Harmless)]).ConfigureAwait(false);
            }

            if (_output.Gathered >= ReplyOutput.Much)
            {
                await FlushAsync().ConfigureAwait(false);
            }
        }

        _services.Return(reads);
    }

    /// <summary>The client is to be sent all that goes on in Redis, or says something to that.</summary>
    private async Task FeedAsync(Request request)
    {
        if (_feed is not null)
        {
            await _feed.SendAsync(request.Bytes).ConfigureAwait(false); // Redis lets it read and write no keys
            return;
        }

        if (Client.Subscribed)
        {
            _output.WriteError("ERR a connection with subscriptions is sent nothing else here");
            return;
        }

        await FlushAsync().ConfigureAwait(false);
        try
        {
            _ofReplica ??= await _services.Pool.OpenAsync(Client.Protocol).ConfigureAwait(false);
            if (ConnectionCommands.IsOfReplica(request))
            {
                await _ofReplica.SendAsync(request.Bytes).ConfigureAwait(false);
                await _ofReplica.NextReplyAsync().ConfigureAwait(false);
                await _ofReplica.MoveReplyAsync(_output, static () => ValueTask.CompletedTask).ConfigureAwait(false);
                return;
            }

            var connection = _ofReplica;
            _ofReplica = null;
            _feed = await Feed.BeginAsync(connection, request.Bytes, _output, _connection.Transport.Input.CancelPendingRead).ConfigureAwait(false);
            Client.Fed = _feed is not null;
        }
        catch (OriginException failure)
        {
            ForgetReplica();
            _output.WriteError(UpstreamErrors.TextOf(failure));
        }
    }

    private void ForgetReplica()
    {
        _ofReplica?.Dispose();
        _ofReplica = null;
    }

    /// <summary>From here on the client is answered as others are.</summary>
    private async ValueTask EndFeedAsync()
    {
        if (_feed is { } feed)
        {
            await feed.DisposeAsync().ConfigureAwait(false);
            (_feed, Client.Fed) = (null, false);
        }
    }

    private async Task AnswerHereAsync(Request request)
    {
        await EndFeedAsync().ConfigureAwait(false);
        var protocol = Client.Protocol;
        switch (await _here.AnswerAsync(request, _passThrough).ConfigureAwait(false))
        {
            case Afterwards.Leave:
                _leaving = true;
                break;
            case Afterwards.Reset:
                _passThrough.Reset();
                ForgetReplica();
                _subscriptions?.Dispose();
                (_subscriptions, Client.Subscribed) = (null, false);
                break;
            case Afterwards.SkipNext:
                _skipNext = true;
                break;
        }

        if (_subscriptions is not null && Client.Protocol != protocol)
        {
            await _subscriptions.SpeakAsync(Client.Protocol).ConfigureAwait(false);
        }

        _parser.Trusted = Client.Trusted;
    }

    private async Task SubscribeAsync(Request request)
    {
        try
        {
            _subscriptions ??= new Subscriptions(
                await _services.Pool.RentAsync(Client.Protocol).ConfigureAwait(false), _connection.Transport.Input.CancelPendingRead, _services.Time);
            await _subscriptions.SendAsync(request.Bytes).ConfigureAwait(false);
        }
        catch (OriginException failure) when (_subscriptions is null)
        {
            _output.WriteError(UpstreamErrors.TextOf(failure));
            return;
        }

        TakeMessages();
        Client.Subscribed = _subscriptions.Any;
    }

    /// <summary>Hands on what was published, and what Redis said of subscriptions: to one that wants no replies too, for these are none.</summary>
    private void TakeMessages()
    {
        var muted = _output.Muted;
        while (_subscriptions?.Take() is { } message)
        {
            _output.Muted = muted && !Subscriptions.IsPushed(message);
            _output.Write(message);
        }

        _output.Muted = muted;
    }

    /// <summary>Sends what is gathered, once no node answers any more with what was there before it.</summary>
    private async ValueTask FlushAsync()
    {
        if (_feed is not null)
        {
            return; // it sends by itself
        }

        await _written.SettleAsync().ConfigureAwait(false);
        _leaving |= !await _output.FlushAsync().ConfigureAwait(false);
    }
}
