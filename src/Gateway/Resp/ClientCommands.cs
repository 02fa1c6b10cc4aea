using System.Globalization;
using System.Text;

namespace RpOrleans.Gateway.Resp;

/// <summary><c>CLIENT …</c>: about the gateway's own clients, not about the connections that it has to Redis.</summary>
internal sealed class ClientCommands(RespClient client, RespServices services, ReplyOutput output, ConnectionCommands connection)
{
    /// <summary>What is said of a name that cannot be one.</summary>
    public const string BadName = "ERR Client names cannot contain spaces, newlines or special characters.";

    /// <summary>How much of a word is repeated in an error.</summary>
    private const int QuotedAtMost = 128;

    /// <summary>Whether it can be a name: <c>validateClientAttr</c>.</summary>
    public static bool IsName(string name) => name.All(letter => letter is >= '!' and <= '~');

    /// <summary>A word as it is repeated in an error.</summary>
    public static string Quoted(ReadOnlySpan<byte> word)
    {
        var text = Encoding.Latin1.GetString(word.Length > QuotedAtMost ? word[..QuotedAtMost] : word);
        var end = text.IndexOf('\0', StringComparison.Ordinal); // in C a NUL ends it
        return (end < 0 ? text : text[..end]).Replace('\r', ' ').Replace('\n', ' ');
    }

    /// <summary>Answers.</summary>
    public ValueTask<Afterwards> AnswerAsync(Request request)
    {
        if (request.Count < 2)
        {
            return new(connection.WrongArity("client"));
        }

        var name = Encoding.Latin1.GetString(request[1]).ToLowerInvariant();
        return name switch
        {
            "id" => With(request, name, 2, () => output.WriteInteger(client.Id)),
            "getname" => With(request, name, 2, WriteName),
            "setname" => With(request, name, 3, () => SetName(request)),
            "setinfo" => With(request, name, 4, () => SetInfo(request)),
            "info" => With(request, name, 2, () => output.WriteVerbatim(Line(client) + "\n", client.Protocol)),
            "reply" => request.Count == 3 ? new(Reply(request)) : new(connection.WrongArity("client|reply")),
            "getredir" => With(request, name, 2, () => output.WriteInteger(-1)),
            "trackinginfo" => With(request, name, 2, WriteTrackingInfo),
            "tracking" => Tracking(request),
            "caching" => With(request, name, 3, () => output.WriteError("ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled")),
            "list" => Guarded(request, name, -2, () => List(request)),
            "kill" => Guarded(request, name, -3, () => Kill(request)),
            "unblock" => UnblockAsync(request),
            "no-evict" or "no-touch" => Refused(request, name, 3),
            "help" => With(request, name, 2, WriteHelp),
            _ => With(request, name, -2, () => output.WriteError($"ERR unknown subcommand '{Quoted(request[1])}'. Try CLIENT HELP.")),
        };
    }

    private ValueTask<Afterwards> With(Request request, string name, int arity, Action answer)
    {
        if (arity >= 0 ? request.Count != arity : request.Count < -arity)
        {
            return new(connection.WrongArity($"client|{name}"));
        }

        answer();
        return new(Afterwards.GoOn);
    }

    /// <summary>What only those may do who may do everything.</summary>
    private ValueTask<Afterwards> Guarded(Request request, string name, int arity, Action answer) =>
        With(request, name, arity, () =>
        {
            if (services.AllowsAdmin(client.User))
            {
                answer();
            }
            else
            {
                output.WriteError(services.NoPermission($"client|{name}"));
            }
        });

    private ValueTask<Afterwards> Refused(Request request, string name, int arity) =>
        With(request, name, arity, () => output.WriteError(services.NoPermission($"client|{name}")));

    private void WriteName()
    {
        if (client.Name.Length == 0)
        {
            output.WriteNull(client.Protocol);
        }
        else
        {
            output.WriteBulk(Encoding.Latin1.GetBytes(client.Name));
        }
    }

    private void SetName(Request request)
    {
        var name = Encoding.Latin1.GetString(request[2]);
        if (!IsName(name))
        {
            output.WriteError(BadName);
            return;
        }

        client.Name = name;
        output.WriteSimple("OK"u8);
    }

    private void SetInfo(Request request)
    {
        var value = Encoding.Latin1.GetString(request[3]);
        if (request.Is(2, "LIB-NAME"u8))
        {
            if (!IsName(value))
            {
                output.WriteError("ERR lib-name cannot contain spaces, newlines or special characters.");
                return;
            }

            client.LibraryName = value;
        }
        else if (request.Is(2, "LIB-VER"u8))
        {
            if (!IsName(value))
            {
                output.WriteError("ERR lib-ver cannot contain spaces, newlines or special characters.");
                return;
            }

            client.LibraryVersion = value;
        }
        else
        {
            output.WriteError($"ERR Unrecognized option '{Quoted(request[2])}'");
            return;
        }

        output.WriteSimple("OK"u8);
    }

    private Afterwards Reply(Request request)
    {
        if (request.Is(2, "ON"u8))
        {
            connection.ReplyMode = ReplyMode.On;
            output.Muted = false;
            output.WriteSimple("OK"u8);
            return Afterwards.GoOn;
        }

        if (request.Is(2, "OFF"u8))
        {
            connection.ReplyMode = ReplyMode.Off;
            return Afterwards.GoOn;
        }

        if (request.Is(2, "SKIP"u8))
        {
            return connection.ReplyMode == ReplyMode.Off ? Afterwards.GoOn : Afterwards.SkipNext;
        }

        output.WriteError("ERR syntax error");
        return Afterwards.GoOn;
    }

    private void WriteTrackingInfo()
    {
        output.WriteMapHead(3, client.Protocol);
        output.WriteBulk("flags"u8);
        output.WriteSetHead(1, client.Protocol);
        output.WriteBulk("off"u8);
        output.WriteBulk("redirect"u8);
        output.WriteInteger(-1);
        output.WriteBulk("prefixes"u8);
        output.WriteArrayHead(0);
    }

    /// <summary>Nobody is told of changes here, and so nobody may believe that he is.</summary>
    private ValueTask<Afterwards> Tracking(Request request) => With(request, "tracking", -3, () =>
    {
        if (request.Count == 3 && request.Is(2, "OFF"u8))
        {
            output.WriteSimple("OK"u8);
        }
        else
        {
            output.WriteError(services.NoPermission("client|tracking"));
        }
    });

    private void List(Request request)
    {
        IEnumerable<RespClient> listed = services.Clients.All;
        if (request.Count > 2)
        {
            if (request.Count == 4 && request.Is(2, "TYPE"u8))
            {
                if (TypeOf(request[3]) is not { } type)
                {
                    output.WriteError($"ERR Unknown client type '{Quoted(request[3])}'");
                    return;
                }

                listed = listed.Where(type);
            }
            else if (request.Count > 3 && request.Is(2, "ID"u8))
            {
                var ids = new HashSet<long>();
                for (var i = 3; i < request.Count; i++)
                {
                    if (!Digits.TryParse(request[i], out var id) || id < 1)
                    {
                        output.WriteError("ERR Invalid client ID");
                        return;
                    }

                    ids.Add(id);
                }

                listed = listed.Where(other => ids.Contains(other.Id));
            }
            else
            {
                output.WriteError("ERR syntax error");
                return;
            }
        }

        output.WriteVerbatim(string.Concat(listed.Select(other => Line(other) + "\n")), client.Protocol);
    }

    private void Kill(Request request)
    {
        if (request.Count == 3)
        {
            var address = Encoding.Latin1.GetString(request[2]);
            if (services.Clients.All.FirstOrDefault(other => $"{other.Remote}" == address) is not { } found)
            {
                output.WriteError("ERR No such client");
                return;
            }

            output.WriteSimple("OK"u8);
            found.Abort();
            return;
        }

        if (request.Count % 2 != 0)
        {
            output.WriteError("ERR syntax error");
            return;
        }

        var (killed, skipMe) = (services.Clients.All, true);
        for (var i = 2; i < request.Count; i += 2)
        {
            var value = Encoding.Latin1.GetString(request[i + 1]);
            if (request.Is(i, "ID"u8))
            {
                if (!Digits.TryParse(request[i + 1], out var id) || id < 1)
                {
                    output.WriteError("ERR client-id should be greater than 0");
                    return;
                }

                killed = killed.Where(other => other.Id == id);
            }
            else if (request.Is(i, "ADDR"u8))
            {
                killed = killed.Where(other => $"{other.Remote}" == value);
            }
            else if (request.Is(i, "LADDR"u8))
            {
                killed = killed.Where(other => $"{other.Local}" == value);
            }
            else if (request.Is(i, "TYPE"u8))
            {
                if (TypeOf(request[i + 1]) is not { } type)
                {
                    output.WriteError($"ERR Unknown client type '{Quoted(request[i + 1])}'");
                    return;
                }

                killed = killed.Where(type);
            }
            else if (request.Is(i, "SKIPME"u8) && (request.Is(i + 1, "YES"u8) || request.Is(i + 1, "NO"u8)))
            {
                skipMe = request.Is(i + 1, "YES"u8);
            }
            else if (request.Is(i, "USER"u8))
            {
                if (!services.Knows(value))
                {
                    output.WriteError($"ERR No such user '{Quoted(request[i + 1])}'");
                    return;
                }

                killed = killed.Where(other => other.UserName == value);
            }
            else
            {
                output.WriteError("ERR syntax error");
                return;
            }
        }

        var victims = killed.Where(other => !skipMe || other != client).ToList();
        output.WriteInteger(victims.Count);
        victims.ForEach(victim => victim.Abort());
    }

    private async ValueTask<Afterwards> UnblockAsync(Request request)
    {
        if (request.Count < 3)
        {
            return connection.WrongArity("client|unblock");
        }

        if (!services.AllowsAdmin(client.User))
        {
            output.WriteError(services.NoPermission("client|unblock"));
        }
        else if (request.Count > 4 || (request.Count == 4 && !request.Is(3, "TIMEOUT"u8) && !request.Is(3, "ERROR"u8)))
        {
            output.WriteError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
        }
        else if (!Digits.TryParse(request[2], out var id))
        {
            output.WriteError("ERR value is not an integer or out of range");
        }
        else
        {
            var there = services.Clients.Find(id)?.BlockedAs ?? 0;
            output.WriteInteger(there == 0 ? 0 : await services.Pool.UnblockAsync(there, request.Count == 4 && request.Is(3, "ERROR"u8)).ConfigureAwait(false));
        }

        return Afterwards.GoOn;
    }

    private void WriteHelp()
    {
        string[] lines =
        [
            "CLIENT <subcommand> [<arg> [value] [opt] ...]. Those that the gateway knows are:",
            "CACHING, GETNAME, GETREDIR, ID, INFO, KILL, LIST, REPLY, SETINFO, SETNAME, TRACKING OFF, TRACKINGINFO, UNBLOCK",
            "They speak of the gateway's own clients.",
        ];
        output.WriteArrayHead(lines.Length);
        foreach (var line in lines)
        {
            output.WriteSimple(Encoding.ASCII.GetBytes(line));
        }
    }

    private static Func<RespClient, bool>? TypeOf(ReadOnlySpan<byte> name) =>
        Ascii.EqualsIgnoreCase(name, "normal") ? other => !other.Subscribed
        : Ascii.EqualsIgnoreCase(name, "pubsub") ? other => other.Subscribed
        : Ascii.EqualsIgnoreCase(name, "master") || Ascii.EqualsIgnoreCase(name, "replica") || Ascii.EqualsIgnoreCase(name, "slave") ? _ => false
        : null;

    private string Line(RespClient other)
    {
        var flags = (other.BlockedAs != 0 ? "b" : "") + (other.Queued >= 0 ? "x" : "") + (other.Subscribed ? "P" : "") + (other.Fed ? "O" : "");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"id={other.Id} addr={other.Remote} laddr={other.Local} fd=-1 name={other.Name} age={Seconds(other.ConnectedAt)} idle={Seconds(other.ActiveAt)} flags={(flags.Length == 0 ? "N" : flags)} db={services.Redis.Database} sub=0 psub=0 ssub=0 multi={other.Queued} qbuf={other.Held()} qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem={other.Held()} events=r cmd={other.LastCommand} user={other.UserName} redir=-1 resp={other.Protocol} lib-name={other.LibraryName} lib-ver={other.LibraryVersion}");
    }

    private long Seconds(long since) => (long)services.Time.GetElapsedTime(since).TotalSeconds;
}
