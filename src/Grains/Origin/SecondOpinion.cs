using RpOrleans.Grains.Settings;

namespace RpOrleans.Grains.Origin;

// A connection that is silent tells nothing of why. If Redis hangs, the connection is to be kept: with its first answer
// nothing has been lost. If packets are dropped, it never answers again, and is to be replaced.

/// <summary>Tells a Redis that hangs from a connection that is dead.</summary>
internal static class SecondOpinion
{
    /// <summary>Whether a silent connection is dead: Redis answers over one that is made just now, and then still not over this one.</summary>
    /// <param name="options">How Redis is reached.</param>
    /// <param name="address">Where it is.</param>
    /// <param name="atMost">How long each answer is waited for.</param>
    /// <param name="askAgain">Asks over the silent connection.</param>
    public static async Task<bool> IsDeadAsync(RedisOptions options, RedisAddress address, TimeSpan atMost, Func<Task> askAgain)
    {
        if (!await AnswersAsync(options, address, atMost))
        {
            return false;
        }

        try
        {
            await askAgain(); // Redis may have woken up just now
            return false;
        }
        catch (Exception failure) when (RedisErrors.IsFailure(failure))
        {
            return true;
        }
    }

    /// <summary>Whatever it says, a refusal too.</summary>
    private static async Task<bool> AnswersAsync(RedisOptions options, RedisAddress address, TimeSpan atMost)
    {
        if (address.Current is not { } server)
        {
            return false;
        }

        try
        {
            using var connection = await SideConnection.OpenAsync(options, server, atMost);
            await connection.AskAsync(atMost, "PING");
            return true;
        }
        catch (OriginException failure)
        {
            return failure.Fault == OriginFault.Protocol;
        }
    }
}
