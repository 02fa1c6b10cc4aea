using RpOrleans.Gateway.Resp.Commands;
using RpOrleans.Gateway.Resp.Upstream;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Gateway.Resp;

/// <summary>What becomes of a request.</summary>
internal enum Way
{
    /// <summary>The cache answers it.</summary>
    Cache,

    /// <summary>It is passed through.</summary>
    Redis,

    /// <summary>It is passed through, and may wait for something that others do.</summary>
    RedisWaiting,

    /// <summary>It is about what the client has subscribed to.</summary>
    Subscriptions,

    /// <summary>The client is sent all that goes on in Redis, or asks for that.</summary>
    Feed,

    /// <summary>It is about the connection itself.</summary>
    Here,

    /// <summary>The client may not do it.</summary>
    Refused,

    /// <summary>The client has to log in first.</summary>
    Stranger,

    /// <summary>It is not meant for this port.</summary>
    Hangup,
}

/// <summary>Decides what becomes of a client's requests.</summary>
/// <param name="client">The client.</param>
/// <param name="services">What it shares with others.</param>
/// <param name="passThrough">Whether Redis keeps a state for it.</param>
/// <param name="written">What it has written, and is not told of yet: it must not see what was there before.</param>
/// <param name="here">What is answered without Redis.</param>
/// <param name="isFed">Whether it is sent all that goes on in Redis.</param>
/// <param name="subscribedIn">In which version of the protocol it has subscribed; <see langword="null"/> if it never has.</param>
internal sealed class Dispatch(RespClient client, RespServices services, PassThrough passThrough, WrittenByClient written, ConnectionCommands here, Func<bool> isFed, Func<int?> subscribedIn)
{
    /// <summary>Why the request that was asked about last is refused, if it is.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Whether each read that the cache can answer goes there, whatever its key.</summary>
    public bool TakesPlainReads => client.Trusted && client.User is not { IsLimited: true } && !isFed() && !passThrough.HasState && !written.ConcernsAny;

    /// <summary>What becomes of a request; the server is asked for its commands if need be.</summary>
    public async ValueTask<(Way Way, Command? Command)> WayOfAsync(Request request)
    {
        if (TryWayOf(request, out var way, out var command))
        {
            return (way, command);
        }

        try
        {
            await services.Commands.ReadAsync().ConfigureAwait(false);
        }
        catch (OriginException failure)
        {
            if (client.User is { IsLimited: true })
            {
                return (Refuse(UpstreamErrors.TextOf(failure)), null); // what the user may do is not known
            }

            // Else it cannot be carried out either, and that is said.
        }

        return services.Commands.Find(request.Name) is { } found ? (WayOf(request, found), found.Of(request)) : (WayOfUnknown(request), null);
    }

    /// <summary>What becomes of a request, where that can be told without asking the server.</summary>
    /// <returns>Whether it can.</returns>
    public bool TryWayOf(in Request request, out Way way, out Command? command)
    {
        command = null;
        if (OtherProtocols.IsHttp(request))
        {
            way = Way.Hangup;
            return true;
        }

        if (!client.Trusted && !ConnectionCommands.IsForStrangers(request))
        {
            way = Way.Stranger;
            return true;
        }

        if (isFed())
        {
            way = ConnectionCommands.EndsSubscriptions(request) ? Way.Here : Way.Feed;
            return true;
        }

        if (client is { Subscribed: true, Protocol: 2 } && subscribedIn() == 2 && !ConnectionCommands.EndsSubscriptions(request))
        {
            way = Way.Subscriptions;
            return true;
        }

        if (!passThrough.HasState && services.Reads.Recognize(request) is not CachedRead.None and var read && CachedReads.KeysOf(read, request) is var keys && !written.Concerns(request, keys))
        {
            way = client.User is { IsLimited: true } user && !UserRights.MayUse(user, request, keys) ? Refuse(UserRights.KeyRefused) : Way.Cache;
            return true;
        }

        command = services.Commands.Find(request.Name);
        if (here.Knows(request, passThrough.InTransaction)
            && !(passThrough.InTransaction && command?.Takes(request) == false)
            && !(services.Pool.Scripts.TakeLong && request.Is(0, "PING"u8)))
        {
            command = command?.Of(request);
            way = Way.Here;
            return true;
        }

        if (command is null)
        {
            way = WayOfUnknown(request);
            return !services.Commands.Outdated;
        }

        way = WayOf(request, command);
        command = command.Of(request);
        return true;
    }

    private Way WayOf(in Request request, Command command)
    {
        var exact = command.Of(request);
        return exact.Fits(request.Count) && RefusalOf(request, exact) is { } refusal ? Refuse(refusal) // with too few words, or too many, Redis refuses it
            : ConnectionCommands.IsOfReplica(request) ? (ConnectionCommands.IsAnsweredToReplica(request) && !passThrough.InTransaction ? Way.Feed : Refuse(services.NoPermission(exact)))
            : passThrough.InTransaction ? (ConnectionCommands.IsSubscription(request) && command.Takes(request) ? Way.Here : Way.Redis)
            : ConnectionCommands.IsSubscription(request) ? Way.Subscriptions
            : ConnectionCommands.IsFeed(request) && exact.Fits(request.Count) ? Way.Feed
            : exact.Blocks && !passThrough.HasState ? Way.RedisWaiting
            : Way.Redis;
    }

    /// <summary>Redis says that there is no such command; but who is limited is not to find out that meanwhile there is.</summary>
    private Way WayOfUnknown(in Request request) =>
        client.User is { IsLimited: true } ? Refuse(services.NoPermission(ClientCommands.Quoted(request.Name))) : Way.Redis;

    private string? RefusalOf(in Request request, Command command) =>
        !services.Allows(command, client.User) ? services.NoPermission(command)
        : client.User is { IsLimited: true } user ? UserRights.RefusalOf(user, request, command)
        : null;

    private Way Refuse(string refusal)
    {
        Refusal = refusal;
        return Way.Refused;
    }
}
