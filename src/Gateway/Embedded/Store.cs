using RpOrleans.Grains.Hosting;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Embedded;

/// <summary>Sees to it that there is a store to cache.</summary>
internal static class Store
{
    /// <summary>Starts the embedded one, and points the settings to it, when no Redis was named.</summary>
    public static EmbeddedStore? StartUnlessRedisIsGiven(RedisOptions redis, PortReservation ports)
    {
        if (redis.IsGiven)
        {
            return null;
        }

        (redis.Host, redis.Port, redis.Embedded) = ("127.0.0.1", ports.Any(), true);
        (redis.User, redis.Password, redis.Database) = (null, null, 0);
        return EmbeddedStore.Start(redis.Port);
    }
}
