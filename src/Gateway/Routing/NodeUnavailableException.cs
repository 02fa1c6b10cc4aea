namespace RpOrleans.Gateway.Routing;

/// <summary>How a node failed to answer.</summary>
internal enum NodeFault
{
    /// <summary>It certainly has not received the call.</summary>
    NotReceived,

    /// <summary>It did not answer in time; it may have received the call.</summary>
    TimedOut,

    /// <summary>It was lost during the call; it may have received it.</summary>
    Lost,
}

/// <summary>A node gave no answer. Says nothing about the key.</summary>
/// <param name="fault">How.</param>
/// <param name="inner">What was thrown, if anything was.</param>
internal sealed class NodeUnavailableException(NodeFault fault, Exception? inner) : Exception($"The node gave no answer: {fault}.", inner)
{
    public NodeFault Fault => fault;
}
