namespace RpOrleans.Gateway.Routing;

/// <summary>What a gateway logs about nodes.</summary>
internal static partial class RoutingLog
{
    [LoggerMessage(EventId = 200, Level = LogLevel.Information, Message = "Node {Node} is reached")]
    public static partial void NodeReached(this ILogger logger, string node);

    [LoggerMessage(EventId = 201, Level = LogLevel.Debug, Message = "Node {Node} cannot be reached yet: {Failure}")]
    public static partial void NodeNotReached(this ILogger logger, string node, string failure);

    [LoggerMessage(EventId = 202, Level = LogLevel.Warning, Message = "The connection to node {Node} is lost; others stand in for it")]
    public static partial void NodeLost(this ILogger logger, string node);

    [LoggerMessage(EventId = 203, Level = LogLevel.Information, Message = "Node {Node} has left the cluster")]
    public static partial void NodeLeft(this ILogger logger, string node);

    [LoggerMessage(EventId = 204, Level = LogLevel.Warning, Message = "The membership Redis cannot be read ({Failure}); the nodes known last are used")]
    public static partial void MembershipLost(this ILogger logger, string failure);

    [LoggerMessage(EventId = 205, Level = LogLevel.Information, Message = "The membership table is read")]
    public static partial void MembershipRead(this ILogger logger);

    [LoggerMessage(EventId = 206, Level = LogLevel.Information, Message = "The membership table cannot be read yet ({Failure}); waiting for the membership Redis, or for a first node")]
    public static partial void MembershipAwaited(this ILogger logger, string failure);
}
