namespace RpOrleans.Grains.Origin;

/// <summary>Why Redis gave no answer that can be used. Each edge translates it once, over HTTP into a status.</summary>
public enum OriginFault : byte
{
    /// <summary>No fault.</summary>
    None,

    /// <summary>No connection: Redis is down, restarting, or was never reached.</summary>
    Unreachable,

    /// <summary>Redis did not answer within the deadline.</summary>
    TimedOut,

    /// <summary>Not asked: Redis failed so often just now that the circuit breaker is open.</summary>
    BreakerOpen,

    /// <summary>Not asked: too many reads are in flight or waiting already.</summary>
    Shed,

    /// <summary>Redis refused the login or the command (<c>NOAUTH</c>, <c>WRONGPASS</c>, <c>NOPERM</c>).</summary>
    Refused,

    /// <summary>What came back is not the Redis protocol, or a reply that the command cannot have.</summary>
    Protocol,

    /// <summary>Redis is still reading its data set (<c>LOADING</c>).</summary>
    Loading,

    /// <summary>Redis takes no writes, being a replica, or serves no reads, having lost its master (<c>READONLY</c>, <c>MASTERDOWN</c>).</summary>
    ReadOnly,

    /// <summary>Redis is part of a Redis Cluster and does not serve this key (<c>MOVED</c>, <c>ASK</c>, <c>CLUSTERDOWN</c>, <c>CROSSSLOT</c>).</summary>
    Redirected,

    /// <summary>Redis refused a write for want of memory (<c>OOM</c>).</summary>
    OutOfMemory,

    /// <summary>Redis refuses for a state of its own (<c>MISCONF</c>, <c>NOREPLICAS</c>, <c>BUSY</c>, and errors not named here).</summary>
    Busy,

    /// <summary>There is no TLS, or the certificate is another's, has expired, or is vouched for by nobody who is trusted.</summary>
    Untrusted,
}

internal static class OriginFaults
{
    /// <summary>Whether a fault says why no request is sent, where that the circuit breaker is open would only say that none is.</summary>
    public static bool SaysMoreThanBreakerOpen(this OriginFault fault) =>
        fault is OriginFault.Refused or OriginFault.Untrusted or OriginFault.Protocol or OriginFault.Loading;
}
