using System.Buffers;
using RpOrleans.Gateway.Resp.Commands;
using RpOrleans.Gateway.Resp.Upstream;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Gateway.Resp;

/// <summary>What one client passes through to Redis.</summary>
/// <param name="pool">The connections for it.</param>
/// <param name="client">The client.</param>
/// <param name="written">Told of what was written.</param>
/// <param name="queued">Told of what is to be written by <c>EXEC</c>.</param>
/// <param name="output">Where the replies go.</param>
/// <param name="flush">Sends what is gathered there.</param>
internal sealed class PassThrough(UpstreamPool pool, RespClient client, WrittenByClient written, WrittenByClient queued, ReplyOutput output, Func<ValueTask> flush) : IDisposable
{
    /// <summary>A command that Redis takes for a mistake, and for which it will not carry out the transaction that it stands in.</summary>
    private static readonly byte[] _mistake = [.. "*1\r\n$3\r\nGET\r\n"u8];

    /// <summary>Longer ones would keep others waiting.</summary>
    private const int SharedAtMost = 64 * 1024;

    private UpstreamConnection? _own; // while Redis keeps a state for this client
    private bool _watching;

    /// <summary>Whether commands wait for <c>EXEC</c>.</summary>
    public bool InTransaction => client.Queued >= 0;

    /// <summary>Whether reads must be Redis's own.</summary>
    public bool HasState => InTransaction || _watching;

    /// <summary>Passes commands through, and their replies back.</summary>
    /// <exception cref="OriginException">A reply came to no end, or Redis has forgotten the client's transaction, or never heard of it: the client's connection must end too.</exception>
    public Task PassAsync(List<(Request Request, Command? Command)> run) => _own is null && AreShort(run) ? PassSharedAsync(run) : PassAloneAsync(run);

    private async Task PassAloneAsync(List<(Request Request, Command? Command)> run)
    {
        var answered = 0;
        var begun = false;
        var lost = false;
        UpstreamConnection? connection = null;
        try
        {
            connection = _own ?? await pool.RentAsync(client.Protocol).ConfigureAwait(false);
            if (run.Exists(static passed => passed.Command is { Scripts: true } or { Name: "exec" }))
            {
                pool.Scripts.Begin(client);
            }

            var sending = SendAsync(connection, run);
            for (; answered < run.Count; answered++)
            {
                await connection.NextReplyAsync().ConfigureAwait(false);
                Note(run[answered].Request, run[answered].Command, connection);
                begun = true;
                await connection.MoveReplyAsync(output, FlushMuchAsync).ConfigureAwait(false);
                begun = false;
            }

            await sending.ConfigureAwait(false);
            Keep(connection);
        }
        catch (OriginException failure)
        {
            connection?.Dispose();
            lost = HasState || LeaveOpen(run.Skip(answered));
            Lose();
            for (; answered < run.Count; answered++)
            {
                if (failure.OutcomeUnknown)
                {
                    written.Add(run[answered].Request, run[answered].Command);
                }

                if (!begun && !lost)
                {
                    output.WriteError(UpstreamErrors.TextOf(failure));
                }
            }

            if (begun || lost)
            {
                throw;
            }
        }
        finally
        {
            pool.Scripts.End(client);
        }
    }

    /// <summary>Passes a command through that may wait for something that others do; given up when the client goes.</summary>
    public async Task PassBlockingAsync(Request request, Command command, CancellationToken gone)
    {
        UpstreamConnection? connection = null;
        var begun = false;
        try
        {
            connection = await pool.RentAsync(client.Protocol).ConfigureAwait(false);
            client.BlockedAs = connection.Id;
            await connection.SendAsync(request.Bytes).ConfigureAwait(false);
            await connection.NextReplyAsync(gone).ConfigureAwait(false);
            Note(request, command, connection);
            begun = true;
            await connection.MoveReplyAsync(output, FlushMuchAsync).ConfigureAwait(false);
            pool.Return(connection);
        }
        catch (OriginException failure)
        {
            connection?.Dispose();
            if (failure.OutcomeUnknown)
            {
                written.Add(request, command);
            }

            if (begun)
            {
                throw;
            }

            output.WriteError(UpstreamErrors.TextOf(failure));
        }
        finally
        {
            client.BlockedAs = 0;
        }
    }

    /// <summary>A command was refused here: a transaction that it stands in must not be carried out.</summary>
    /// <exception cref="OriginException">Redis has forgotten the transaction.</exception>
    public async Task SpoilAsync()
    {
        if (InTransaction && _own is { } own)
        {
            await own.SendAsync(_mistake).ConfigureAwait(false);
            await own.ReadReplyAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Forgets a transaction and what is watched.</summary>
    public void Reset()
    {
        _own?.Dispose();
        Lose();
    }

    public void Dispose() => Reset();

    private static bool AreShort(List<(Request Request, Command? Command)> run)
    {
        var bytes = 0;
        foreach (var (request, command) in run)
        {
            bytes += request.Bytes.Length;
            if (command is not { Short: true } || bytes > SharedAtMost)
            {
                return false;
            }
        }

        return true;
    }

    private async Task PassSharedAsync(List<(Request Request, Command? Command)> run)
    {
        try
        {
            var replies = await pool.Shared(client.Protocol).PassAsync(run.ConvertAll(static passed => passed.Request.Bytes)).ConfigureAwait(false);
            for (var i = 0; i < run.Count; i++)
            {
                if (replies.TypeOf(i) != '-')
                {
                    written.Add(run[i].Request, run[i].Command);
                }

                output.Write(replies[i]);
                await FlushMuchAsync().ConfigureAwait(false);
            }
        }
        catch (OriginException failure)
        {
            foreach (var (request, command) in run)
            {
                if (failure.OutcomeUnknown)
                {
                    written.Add(request, command);
                }

                output.WriteError(UpstreamErrors.TextOf(failure));
            }
        }
    }

    private static async Task SendAsync(UpstreamConnection connection, List<(Request Request, Command? Command)> run)
    {
        // What came in one piece goes in one piece.
        for (var i = 0; i < run.Count;)
        {
            var bytes = run[i++].Request;
            var last = bytes;
            while (i < run.Count && last.Precedes(run[i].Request))
            {
                last = run[i++].Request;
            }

            await connection.SendAsync(bytes.BytesTo(last)).ConfigureAwait(false);
        }
    }

    private async ValueTask FlushMuchAsync()
    {
        if (output.Gathered >= ReplyOutput.Much)
        {
            await flush().ConfigureAwait(false);
        }
    }

    /// <summary>Redis has begun to answer: what the command did is done.</summary>
    private void Note(Request request, Command? command, UpstreamConnection connection)
    {
        var failed = connection.ReplyType == '-';
        switch (command?.Name)
        {
            case "multi":
                if (!failed)
                {
                    client.Queued = 0;
                }

                break;
            case "exec" when request.Count == 1:
                if (!failed && !connection.ReplyIsNull)
                {
                    written.Take(queued);
                }

                EndTransaction(failed);
                break;
            case "discard" when request.Count == 1:
                EndTransaction(failed);
                break;
            case "watch":
                _watching |= !failed;
                break;
            case "unwatch":
                _watching &= InTransaction;
                break;
            default:
                if (InTransaction)
                {
                    if (!failed)
                    {
                        client.Queued++;
                        queued.Add(request, command);
                    }
                }
                else if (!failed || command is { Writes: true, Keys: [{ Counted: true }, ..] })
                {
                    // A script may have written before it failed.
                    written.Add(request, command);
                }

                break;
        }
    }

    /// <summary>Whether what follows these would be carried out one by one, though the client has it stand in a transaction.</summary>
    private static bool LeaveOpen(IEnumerable<(Request Request, Command? Command)> unanswered) =>
        unanswered.LastOrDefault(one => one.Command?.Name is "multi" or "exec" or "discard").Command?.Name == "multi";

    private void EndTransaction(bool failed)
    {
        if (!failed || InTransaction)
        {
            client.Queued = -1;
            _watching = false;
            queued.Clear();
        }
    }

    private void Keep(UpstreamConnection connection)
    {
        _own = HasState ? connection : null;
        if (_own is null)
        {
            pool.Return(connection);
        }
    }

    private void Lose()
    {
        // EXEC was perhaps carried out; then others were told by Redis itself, and this client must not read what was before.
        written.Take(queued);
        (_own, _watching, client.Queued) = (null, false, -1);
    }
}
