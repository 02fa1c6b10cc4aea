using RpOrleans.Grains.Origin;
using StackExchange.Redis;
using Xunit;

namespace RpOrleans.Tests.Origin;

/// <summary>What a failure means, and whether the command may have been carried out.</summary>
public class RedisErrorsTests
{
    [Fact]
    public void EveryKindOfErrorHasAFault() =>
        Assert.All(Enum.GetValues<RedisErrorKind>(), kind => Assert.NotEqual(OriginFault.None, RedisErrors.FaultOf(kind)));

    [Fact]
    public void EveryFailedConnectionHasAFault() =>
        Assert.All(Enum.GetValues<ConnectionFailureType>(), type => Assert.NotEqual(OriginFault.None, RedisErrors.FaultOf(type, inner: null)));

    [Theory]
    [InlineData(CommandStatus.Sent, true)]
    [InlineData(CommandStatus.Unknown, true)]
    [InlineData(CommandStatus.WaitingInBacklog, true)]
    [InlineData(CommandStatus.WaitingToBeSent, false)]
    public void OutcomeIsKnownOnlyForWhatWasNeverSent(CommandStatus status, bool unknown) =>
        Assert.Equal(unknown, RedisErrors.Translate(new RedisConnectionException(ConnectionFailureType.SocketClosed, CommandFlags.None, "", null, status)).OutcomeUnknown);

    [Fact]
    public void TimeoutIsOutcomeUnknown() => Assert.True(RedisErrors.Translate(new TimeoutException()).OutcomeUnknown);
}
