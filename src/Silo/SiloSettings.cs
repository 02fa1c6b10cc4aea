using RpOrleans.Grains.Settings;

/// <summary>What a node needs to know.</summary>
internal sealed record SiloSettings(CacheOptions Cache, CoherenceOptions Coherence, RedisOptions Redis, ClusteringOptions Clustering, AdminOptions Admin)
{
    /// <summary>Reads the environment.</summary>
    /// <exception cref="Microsoft.Extensions.Options.OptionsValidationException">Something is wrong; everything that is is named.</exception>
    public static SiloSettings Read(IConfiguration configuration)
    {
        var reader = new SettingsReader(configuration);
        var settings = new SiloSettings(
            reader.Read<CacheOptions>(), reader.Read<CoherenceOptions>(), RedisOptions.Read(reader), reader.Read<ClusteringOptions>(), reader.Read<AdminOptions>());
        if (settings.Clustering.Clustering != RpOrleans.Grains.Settings.Clustering.Redis)
        {
            reader.Reject("CLUSTERING", reader.Raw("CLUSTERING"), "must be redis: a node by itself is found through the membership table (for one process, run the gateway)");
        }

        if (reader.Raw("MEMBERSHIP_REDIS") is null)
        {
            reader.Reject("MEMBERSHIP_REDIS", null, "must be host:port of the Redis that holds the membership table");
        }

        if (!settings.Redis.IsGiven)
        {
            reader.Reject("REDIS_HOST", null, "must name the Redis that is cached, or REDIS_SENTINEL its sentinels");
        }

        reader.ThrowIfRejected();
        return settings;
    }
}
