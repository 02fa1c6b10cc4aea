using System.Net;
using RpOrleans.Gateway.Access;

namespace RpOrleans.Gateway.Resp;

/// <summary>Who is connected, and what it has set for its connection.</summary>
internal sealed class RespClient(long id, EndPoint? remote, EndPoint? local, long connectedAt)
{
    /// <summary>Its number, as Redis gives them: never the same twice, later ones higher.</summary>
    public long Id => id;

    public EndPoint? Remote => remote;

    public EndPoint? Local => local;

    /// <summary>When it came, as a timestamp.</summary>
    public long ConnectedAt { get; } = connectedAt;

    /// <summary>When it last sent a command, as a timestamp.</summary>
    public long ActiveAt { get; set; } = connectedAt;

    /// <summary>The version of the protocol that it wants: 2 or 3.</summary>
    public int Protocol { get; set; } = 2;

    /// <summary>Whether it may read and write.</summary>
    public required bool Trusted { get; set; }

    /// <summary>As whom it has logged in; <see langword="null"/> for nobody, and where nobody needs to.</summary>
    public User? User { get; set; }

    /// <summary>As whom it is listed.</summary>
    public string UserName => User?.Name ?? User.Default;

    /// <summary>What it calls itself.</summary>
    public string Name { get; set; } = "";

    /// <summary>What its library says it is.</summary>
    public string LibraryName { get; set; } = "";

    /// <summary>And of which version.</summary>
    public string LibraryVersion { get; set; } = "";

    /// <summary>The last command's name.</summary>
    public string LastCommand { get; set; } = "NULL";

    /// <summary>Commands that wait for <c>EXEC</c>; -1 outside of a transaction.</summary>
    public int Queued { get; set; } = -1;

    /// <summary>Whether it has subscribed to anything.</summary>
    public bool Subscribed { get; set; }

    /// <summary>Whether it is sent everything that goes on in Redis: a monitor, or a replica.</summary>
    public bool Fed { get; set; }

    /// <summary>By which number Redis knows the connection on which the client waits for something; 0 when it does not.</summary>
    public long BlockedAs { get; set; }

    /// <summary>Whether it is being answered now, and not waited for.</summary>
    public bool Answered { get; set; }

    /// <summary>Stops waiting for what it may send.</summary>
    public required Action Wake { get; init; }

    /// <summary>Closes its connection.</summary>
    public required Action Abort { get; init; }

    /// <summary>How many bytes it has sent that have not been dealt with.</summary>
    public required Func<int> Held { get; init; }

    /// <summary>Whether it takes too long over a request, or over reading a reply.</summary>
    public required Func<bool> Overdue { get; init; }
}
