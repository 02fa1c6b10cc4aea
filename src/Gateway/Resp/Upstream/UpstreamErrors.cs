using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Gateway.Resp.Upstream;

/// <summary>What a client is told when neither a node nor Redis gave a usable answer: an error, and never the reply for what is not there.</summary>
internal static class UpstreamErrors
{
    /// <summary>Of a read.</summary>
    public static string TextOf(in Routed<Lookup> routed) => routed.Fault == RouteFault.None ? TextOf(routed.Answer.Fault) : TextOf(routed.Fault);

    /// <summary>Of whatever a node was to answer.</summary>
    public static string TextOf(RouteFault fault) => fault switch
    {
        RouteFault.NoNode => "ERR upstream no cache node can be reached",
        RouteFault.TimedOut => "ERR upstream no cache node answered in time",
        _ => "ERR upstream the node was lost: outcome unknown",
    };

    /// <summary>Of what was passed through.</summary>
    public static string TextOf(OriginException failure) => TextOf(failure.Fault) + (failure.OutcomeUnknown ? ": outcome unknown" : "");

    private static string TextOf(OriginFault fault) => fault switch
    {
        OriginFault.TimedOut => "ERR upstream Redis did not answer in time",
        OriginFault.BreakerOpen => "ERR upstream Redis fails, and is not asked until it answers again",
        OriginFault.Shed => "ERR upstream too many reads are waiting",
        OriginFault.Refused => "ERR upstream Redis refused the login or the command",
        OriginFault.Protocol => "ERR upstream Redis broke the protocol",
        OriginFault.Loading => "LOADING Redis is loading the dataset in memory",
        OriginFault.ReadOnly => "ERR upstream Redis is a replica, or has lost its master",
        OriginFault.Redirected => "ERR upstream Redis is part of a cluster and does not serve this key",
        OriginFault.OutOfMemory => "OOM command not allowed when used memory > 'maxmemory'.",
        OriginFault.Busy => "ERR upstream Redis refuses for the time being",
        OriginFault.Untrusted => "ERR upstream Redis's certificate is not trusted",
        _ => "ERR upstream Redis cannot be reached",
    };
}
