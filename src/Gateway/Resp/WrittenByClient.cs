using System.Globalization;
using System.Text;
using RpOrleans.Gateway.Resp.Commands;
using RpOrleans.Gateway.Resp.Upstream;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Gateway.Resp;

// A script may write keys that it does not name, though Redis wants them named. Of those nodes hear from Redis alone, as of what others
// change, within COHERENCE_BOUND; so long the script's own client reads from Redis.

/// <summary>What a client has had Redis write, and is not to be told of before no node answers with what was there before.</summary>
/// <param name="router">Has the nodes let go of it.</param>
/// <param name="pool">Connections to Redis.</param>
/// <param name="bound"><c>COHERENCE_BOUND</c>.</param>
/// <param name="time">The clock.</param>
internal sealed class WrittenByClient(Router router, UpstreamPool pool, TimeSpan bound, TimeProvider time)
{
    /// <summary>Among more keys than so many none is looked for.</summary>
    private const int ComparedAtMost = 64;

    private readonly List<byte[]> _keys = [];
    private readonly List<byte[]> _unclear = []; // whole commands
    private bool _any;
    private bool _scripts;
    private long _scriptAt; // when the last one had been settled; 0 for none yet

    /// <summary>A command was carried out, or may have been.</summary>
    /// <param name="request">It.</param>
    /// <param name="command">What it does; <see langword="null"/> when that is not known.</param>
    public void Add(Request request, Command? command)
    {
        if (command is null or { Name: "migrate" })
        {
            _any = true; // MIGRATE may hold a password, which Redis would show to monitors in a question about it
        }
        else if (command is { Writes: true, KeysIncomplete: true })
        {
            _unclear.Add(request.Bytes.ToArray());
        }
        else if (command.Writes)
        {
            AddKeys(request, command);
            _scripts |= command.Scripts;
        }
    }

    /// <summary>Commands that were waiting for this have been carried out together.</summary>
    public void Take(WrittenByClient others)
    {
        _keys.AddRange(others._keys);
        _unclear.AddRange(others._unclear);
        _any |= others._any;
        _scripts |= others._scripts;
        others.Clear();
    }

    /// <summary>Nothing of it was carried out.</summary>
    public void Clear()
    {
        _keys.Clear();
        _unclear.Clear();
        _any = _scripts = false;
    }

    /// <summary>Whether a node may still answer with what was there before some key or other was written.</summary>
    public bool ConcernsAny => !IsEmpty || FollowsScript;

    /// <summary>Whether a node may still answer with what was there before one of the keys was written.</summary>
    /// <param name="request">The keys stand behind its name.</param>
    /// <param name="keys">How many there are.</param>
    public bool Concerns(in Request request, int keys)
    {
        if (IsEmpty)
        {
            return FollowsScript;
        }

        if (_any || _scripts || FollowsScript || _unclear.Count > 0 || _keys.Count > ComparedAtMost)
        {
            return true;
        }

        for (var i = 1; i <= keys; i++)
        {
            foreach (var written in _keys)
            {
                if (request[i].SequenceEqual(written))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Waits until no node answers with what was there before.</summary>
    public ValueTask SettleAsync() => IsEmpty ? ValueTask.CompletedTask : new(SettleAllAsync());

    private bool IsEmpty => !_any && _keys.Count == 0 && _unclear.Count == 0;

    private bool FollowsScript => _scriptAt != 0 && time.GetElapsedTime(_scriptAt) < bound;

    private void AddKeys(Request request, Command command)
    {
        var somewhere = false;
        foreach (var spec in command.Keys.Where(spec => spec.Written))
        {
            somewhere = true;
            var before = _keys.Count;
            foreach (var at in spec.In(request))
            {
                _keys.Add(request[at].ToArray());
            }

            _any |= spec.Counted && _keys.Count == before; // a script that names no key may write any
        }

        _any |= !somewhere;
    }

    private async Task SettleAllAsync()
    {
        foreach (var command in _unclear)
        {
            await AskForKeysAsync(command).ConfigureAwait(false);
        }

        if (_any || _keys.Count > 0)
        {
            await router.SettleAsync(_any ? null : _keys).ConfigureAwait(false);
        }

        _scriptAt = _scripts ? time.GetTimestamp() : _scriptAt;
        Clear();
    }

    /// <summary>Where its table does not say which keys a command writes, the server says it of the command itself.</summary>
    private async Task AskForKeysAsync(byte[] command)
    {
        try
        {
            var head = Array.IndexOf(command, (byte)'\n') + 1;
            var words = int.Parse(Encoding.ASCII.GetString(command, 1, head - 3), CultureInfo.InvariantCulture);
            var reply = await pool.UseAsync(async connection =>
            {
                await connection.SendAsync(Encoding.ASCII.GetBytes($"*{words + 2}\r\n$7\r\nCOMMAND\r\n$15\r\nGETKEYSANDFLAGS\r\n")).ConfigureAwait(false);
                await connection.SendAsync(command.AsMemory(head)).ConfigureAwait(false);
                return await connection.ReadReplyAsync().ConfigureAwait(false);
            }).ConfigureAwait(false);
            _any |= reply.IsError; // before Redis 7 it does not say what is written
            _keys.AddRange(reply.Items
                .Where(key => key.Items.Count == 2 && key.Items[1].Items.Any(flag => flag.Text is "RW" or "OW" or "RM"))
                .Select(key => Encoding.Latin1.GetBytes(key.Items[0].Text)));
        }
        catch (OriginException)
        {
            _any = true;
        }
    }
}
