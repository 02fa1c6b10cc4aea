using StackExchange.Redis;

namespace RpOrleans.Grains.Origin;

/// <summary>What a failure of Redis, or of the way to it, means to us.</summary>
// The texts of Redis stay behind: some repeat what they were sent ("unknown command …, with args beginning with: …"),
// and so would carry a key into a log.
internal static class RedisErrors
{
    /// <summary>Whether Redis said that the key is there, but is not a string.</summary>
    public static bool IsWrongType(Exception failure) => failure is RedisServerException { Kind: RedisErrorKind.WrongType };

    /// <summary>Whether it is Redis, or the way to it, that failed; anything else is a bug.</summary>
    public static bool IsFailure(Exception failure) =>
        failure is OriginException or RedisException or RedisCommandException or TimeoutException or ObjectDisposedException or OperationCanceledException;

    /// <summary>Turns what the client library threw into what we throw.</summary>
    /// <param name="failure">What it threw, or what gave up waiting for it.</param>
    /// <returns>The same failure in our words.</returns>
    public static OriginException Translate(Exception failure) => failure switch
    {
        OriginException known => known,
        RedisServerException refused => new OriginException(FaultOf(refused.Kind)),
        // For a command, "unable to connect" is how the library reports an ASK that it was told not to follow.
        RedisConnectionException { FailureType: ConnectionFailureType.UnableToConnect } => new OriginException(OriginFault.Redirected),
        RedisConnectionException lost => new OriginException(
            FaultOf(lost.FailureType, lost.InnerException),
            outcomeUnknown: lost.CommandStatus != CommandStatus.WaitingToBeSent && lost.FailureType != ConnectionFailureType.UnableToResolvePhysicalConnection,
            inner: lost),
        RedisCommandException => new OriginException(OriginFault.ReadOnly), // not sent: the library knows it for a replica
        TimeoutException late => new OriginException(OriginFault.TimedOut, outcomeUnknown: true, inner: late),
        ObjectDisposedException closed => new OriginException(OriginFault.Unreachable, outcomeUnknown: true, inner: closed),
        OperationCanceledException cancelled => new OriginException(OriginFault.Unreachable, outcomeUnknown: true, inner: cancelled),
        RedisException other => new OriginException(OriginFault.Protocol, outcomeUnknown: true, inner: other),
        _ => throw new ArgumentException("Not a failure of Redis.", nameof(failure), failure),
    };

    /// <summary>What an error reply means.</summary>
    /// <param name="kind">Its first word, as the library classifies it.</param>
    /// <returns>The fault.</returns>
    public static OriginFault FaultOf(RedisErrorKind kind) => kind switch
    {
        RedisErrorKind.NoAuth or RedisErrorKind.WrongPass or RedisErrorKind.NoPermission or RedisErrorKind.NotPermitted => OriginFault.Refused,
        RedisErrorKind.Loading => OriginFault.Loading,
        RedisErrorKind.ReadOnly or RedisErrorKind.MasterDown => OriginFault.ReadOnly,
        RedisErrorKind.Moved or RedisErrorKind.Ask or RedisErrorKind.UnknownRedirectTarget or RedisErrorKind.ClusterDown
            or RedisErrorKind.CrossSlot or RedisErrorKind.TryAgain => OriginFault.Redirected,
        RedisErrorKind.OutOfMemory => OriginFault.OutOfMemory,
        RedisErrorKind.ConnectionFault => OriginFault.Protocol,
        _ => OriginFault.Busy,
    };

    /// <summary>What a lost connection, or one that could not be made, means.</summary>
    /// <param name="type">How it failed.</param>
    /// <param name="inner">What it failed of, where the library says so.</param>
    /// <returns>The fault.</returns>
    public static OriginFault FaultOf(ConnectionFailureType type, Exception? inner) => (type, inner) switch
    {
        (_, OriginException known) => known.Fault, // ours, thrown in the library's way
        (ConnectionFailureType.InternalFailure, IOException) => OriginFault.Unreachable, // closed during a handshake
        // Once the library has seen a login fail, it calls each later connect that times out a failure of the login.
        // Its own cause then is the old reply; that of a real one is a bare exception.
        (ConnectionFailureType.AuthenticationFailure, RedisException) => OriginFault.Unreachable,
        (ConnectionFailureType.AuthenticationFailure, _) => OriginFault.Refused,
        (ConnectionFailureType.Loading, _) => OriginFault.Loading,
        (ConnectionFailureType.ProtocolFailure or ConnectionFailureType.ResponseIntegrityFailure or ConnectionFailureType.InternalFailure, _) => OriginFault.Protocol,
        _ => OriginFault.Unreachable,
    };

    /// <summary>Looks at the failure of a task that may be given up before it ends.</summary>
    public static Task<T> Observed<T>(this Task<T> task)
    {
        _ = task.ContinueWith(
            static failed => _ = failed.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return task;
    }
}
