using System.Globalization;
using System.Text;
using RpOrleans.Gateway.Access;
using RpOrleans.Gateway.Resp.Commands;

namespace RpOrleans.Gateway.Resp;

/// <summary>What becomes of the connection after a command.</summary>
internal enum Afterwards
{
    /// <summary>Nothing.</summary>
    GoOn,

    /// <summary>It is closed.</summary>
    Leave,

    /// <summary>It is as it was at the beginning: no transaction, no subscriptions.</summary>
    Reset,

    /// <summary>The next command gets no reply.</summary>
    SkipNext,
}

/// <summary>Which replies a client wants.</summary>
internal enum ReplyMode
{
    On,
    Off,
}

/// <summary>The commands that are about the connection itself, and so are answered here, in Redis's words (7.0).</summary>
internal sealed class ConnectionCommands
{
    private delegate ValueTask<Afterwards> Handler(ConnectionCommands self, Request request);

    private static readonly string[] _forStrangers = ["AUTH", "HELLO", "QUIT", "RESET"];
    private static readonly string[] _feeds = ["MONITOR", "SYNC", "PSYNC"];
    private static readonly string[] _ofReplicas = ["LISTENING-PORT", "IP-ADDRESS", "CAPA", "RDB-ONLY", "RDB-FILTER-ONLY"];
    private static readonly string[] _subscriptions = ["SUBSCRIBE", "UNSUBSCRIBE", "PSUBSCRIBE", "PUNSUBSCRIBE", "SSUBSCRIBE", "SUNSUBSCRIBE"];

    private static readonly NameTable<Handler> _handlers = new(new Dictionary<string, Handler>
    {
        ["PING"] = (self, request) => new(self.Ping(request)),
        ["ECHO"] = (self, request) => new(self.Echo(request)),
        ["SELECT"] = (self, request) => new(self.Select(request)),
        ["AUTH"] = (self, request) => self.AuthAsync(request),
        ["ACL"] = (self, _) => new(self.WhoAmI()),
        ["HELLO"] = (self, request) => self.HelloAsync(request),
        ["CLIENT"] = (self, request) => self._clientCommands.AnswerAsync(request),
        ["RP.EXPLAIN"] = (self, request) => self.ExplainAsync(request),
        ["QUIT"] = (self, _) => new(self.Quit()),
        ["RESET"] = (self, request) => new(self.Reset(request)),
    });

    private readonly RespClient _client;
    private readonly RespServices _services;
    private readonly ReplyOutput _output;
    private readonly ClientCommands _clientCommands;

    public ConnectionCommands(RespClient client, RespServices services, ReplyOutput output)
    {
        (_client, _services, _output) = (client, services, output);
        _clientCommands = new ClientCommands(client, services, output, this);
    }

    /// <summary>Which replies the client wants.</summary>
    public ReplyMode ReplyMode { get; set; }

    /// <summary>Whether somebody who has not logged in may use it.</summary>
    public static bool IsForStrangers(in Request request) => IsOneOf(request, _forStrangers);

    /// <summary>Whether it is about subscriptions.</summary>
    public static bool IsSubscription(in Request request) => IsOneOf(request, _subscriptions);

    /// <summary>Whether Redis goes on sending from then on.</summary>
    public static bool IsFeed(in Request request) => IsOneOf(request, _feeds);

    /// <summary>Whether it is the command by which a replica says what it can do, before it asks to be fed.</summary>
    public static bool IsOfReplica(in Request request) => request.Is(0, "REPLCONF"u8);

    /// <summary>Whether a replica says what Redis will answer: to <c>ACK</c>, for one, it says nothing.</summary>
    public static bool IsAnsweredToReplica(in Request request)
    {
        for (var i = 1; i < request.Count; i += 2)
        {
            if (!IsOneOf(request, _ofReplicas, at: i))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether it ends all subscriptions, and is not one of their own commands.</summary>
    public static bool EndsSubscriptions(in Request request) => request.Is(0, "QUIT"u8) || request.Is(0, "RESET"u8);

    /// <summary>Whether a request is answered here.</summary>
    /// <param name="request">It.</param>
    /// <param name="inTransaction">Whether it is to wait for <c>EXEC</c>; Redis then does this for the harmless ones.</param>
    public bool Knows(in Request request, bool inTransaction) =>
        _handlers.Find(request.Name) is not null
        && !(inTransaction && (request.Is(0, "PING"u8) || request.Is(0, "ECHO"u8)))
        && !(request.Is(0, "CLIENT"u8) && request.Count > 1 && (request.Is(1, "PAUSE"u8) || request.Is(1, "UNPAUSE"u8))) // Redis is what pauses
        && (!request.Is(0, "ACL"u8) || (_client.User is not null && request.Count == 2 && request.Is(1, "WHOAMI"u8)));

    /// <summary>Answers it.</summary>
    public async ValueTask<Afterwards> AnswerAsync(Request request, PassThrough passThrough)
    {
        if (passThrough.InTransaction && !EndsSubscriptions(request))
        {
            _output.WriteError($"ERR '{Encoding.Latin1.GetString(request.Name).ToLowerInvariant()}' cannot be part of a transaction here");
            await passThrough.SpoilAsync().ConfigureAwait(false);
            return Afterwards.GoOn;
        }

        return await _handlers.Find(request.Name)!(this, request).ConfigureAwait(false);
    }

    /// <summary>Says that a command has too many words, or too few.</summary>
    public Afterwards WrongArity(string name)
    {
        _output.WriteError($"ERR wrong number of arguments for '{name}' command");
        return Afterwards.GoOn;
    }

    private static bool IsOneOf(in Request request, string[] names, int at = 0)
    {
        foreach (var name in names)
        {
            if (Ascii.EqualsIgnoreCase(request[at], name))
            {
                return true;
            }
        }

        return false;
    }

    private Afterwards Ping(Request request)
    {
        if (request.Count > 2)
        {
            return WrongArity("ping");
        }

        if (request.Count == 2)
        {
            _output.WriteBulk(request[1]);
        }
        else
        {
            _output.WriteSimple("PONG"u8);
        }

        return Afterwards.GoOn;
    }

    private Afterwards Echo(Request request)
    {
        if (request.Count != 2)
        {
            return WrongArity("echo");
        }

        _output.WriteBulk(request[1]);
        return Afterwards.GoOn;
    }

    private Afterwards Select(Request request)
    {
        if (request.Count != 2)
        {
            return WrongArity("select");
        }

        if (!Digits.TryParse(request[1], out var database))
        {
            _output.WriteError("ERR value is not an integer or out of range");
        }
        else if (database is < int.MinValue or > int.MaxValue)
        {
            _output.WriteError("ERR value is out of range, value must between -2147483648 and 2147483647");
        }
        else if (database != _services.Redis.Database)
        {
            _output.WriteError("ERR DB index is out of range"); // there is this one only
        }
        else
        {
            _output.WriteSimple("OK"u8);
        }

        return Afterwards.GoOn;
    }

    private async ValueTask<Afterwards> AuthAsync(Request request)
    {
        if (request.Count < 2)
        {
            return WrongArity("auth");
        }

        if (request.Count > 3)
        {
            _output.WriteError("ERR syntax error");
        }
        else if (request.Count == 2 && _services.Open)
        {
            _output.WriteError("ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?");
        }
        else if (await LogInAsync(request.Count == 3 ? Encoding.Latin1.GetString(request[1]) : User.Default, request[request.Count - 1].ToArray()).ConfigureAwait(false))
        {
            _output.WriteSimple("OK"u8);
        }

        return Afterwards.GoOn;
    }

    private async ValueTask<bool> LogInAsync(string name, byte[] password)
    {
        var (right, user) = await _services.LogInAsync(name, password).ConfigureAwait(false);
        if (right)
        {
            (_client.Trusted, _client.User) = (true, user);
            return true;
        }

        _output.WriteError("WRONGPASS invalid username-password pair or user is disabled.");
        return false;
    }

    private async ValueTask<Afterwards> HelloAsync(Request request)
    {
        var protocol = (long)_client.Protocol;
        if (request.Count > 1 && !Digits.TryParse(request[1], out protocol))
        {
            _output.WriteError("ERR Protocol version is not an integer or out of range");
            return Afterwards.GoOn;
        }

        if (protocol is < 2 or > 3)
        {
            _output.WriteError("NOPROTO unsupported protocol version");
            return Afterwards.GoOn;
        }

        for (var i = 2; i < request.Count; i++)
        {
            if (request.Is(i, "AUTH"u8) && i + 2 < request.Count)
            {
                if (!await LogInAsync(Encoding.Latin1.GetString(request[i + 1]), request[i + 2].ToArray()).ConfigureAwait(false))
                {
                    return Afterwards.GoOn;
                }

                i += 2;
            }
            else if (request.Is(i, "SETNAME"u8) && i + 1 < request.Count)
            {
                var name = Encoding.Latin1.GetString(request[++i]);
                if (!ClientCommands.IsName(name))
                {
                    _output.WriteError(ClientCommands.BadName);
                    return Afterwards.GoOn;
                }

                _client.Name = name; // whatever is wrong with the rest
            }
            else
            {
                _output.WriteError($"ERR Syntax error in HELLO option '{ClientCommands.Quoted(request[i])}'");
                return Afterwards.GoOn;
            }
        }

        if (!_client.Trusted)
        {
            _output.WriteError(
                "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time");
            return Afterwards.GoOn;
        }

        _client.Protocol = (int)protocol;
        await _services.Pool.KnowVersionAsync().ConfigureAwait(false);
        WriteHello();
        return Afterwards.GoOn;
    }

    private void WriteHello()
    {
        _output.WriteMapHead(7, _client.Protocol);
        _output.WriteBulk("server"u8);
        _output.WriteBulk("redis"u8);
        _output.WriteBulk("version"u8);
        _output.WriteBulk(_services.Pool.Version ?? "7.0.0");
        _output.WriteBulk("proto"u8);
        _output.WriteInteger(_client.Protocol);
        _output.WriteBulk("id"u8);
        _output.WriteInteger(_client.Id);
        _output.WriteBulk("mode"u8);
        _output.WriteBulk("standalone"u8);
        _output.WriteBulk("role"u8);
        _output.WriteBulk("master"u8);
        _output.WriteBulk("modules"u8);
        _output.WriteArrayHead(0);
    }

    private async ValueTask<Afterwards> ExplainAsync(Request request)
    {
        if (request.Count != 2)
        {
            return WrongArity("rp.explain");
        }

        if (_client.User is { IsLimited: true } user && !user.MayUse(request[1]))
        {
            _output.WriteError(UserRights.KeyRefused);
            return Afterwards.GoOn;
        }

        await ExplainCommand.AnswerAsync(request[1].ToArray(), _services.Router, _output, _client.Protocol).ConfigureAwait(false);
        return Afterwards.GoOn;
    }

    private Afterwards WhoAmI()
    {
        _output.WriteBulk(_client.UserName); // Redis would name the gateway's own user
        return Afterwards.GoOn;
    }

    private Afterwards Quit()
    {
        _output.WriteSimple("OK"u8);
        return Afterwards.Leave;
    }

    private Afterwards Reset(Request request)
    {
        if (request.Count != 1)
        {
            return WrongArity("reset");
        }

        (_client.Protocol, _client.Name, _client.Trusted, _client.User) = (2, "", _services.Open, null);
        _output.Muted &= ReplyMode == ReplyMode.On; // CLIENT REPLY SKIP goes for RESET too, and OFF does not
        ReplyMode = ReplyMode.On;
        _output.WriteSimple("RESET"u8);
        return Afterwards.Reset;
    }

    private Afterwards Refuse(string name)
    {
        _output.WriteError(string.Create(CultureInfo.InvariantCulture, $"NOPERM this user has no permissions to run the '{name}' command"));
        return Afterwards.GoOn;
    }
}
