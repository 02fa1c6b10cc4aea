using Microsoft.Extensions.Caching.Hybrid;
using RpOrleans.HybridCache;
using StackExchange.Redis;

// What a .NET team would write to read Redis through memory: a minimal API over HybridCache, which sees to it that a key is loaded once
// however many ask for it. The data is in Redis itself, under the same key; so HybridCache has no second level of its own there.
//
//   SERVER_PORT, REDIS_PORT, CAPACITY_BYTES (of values in memory), RECORD_EXPIRY (seconds)

var builder = WebApplication.CreateSlimBuilder(args);
var settings = builder.Configuration;
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.UseUrls($"http://127.0.0.1:{settings["SERVER_PORT"]}");
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, AnswersJson.Default));
builder.Services.AddMemoryCache(memory => memory.SizeLimit = settings.GetValue<long>("CAPACITY_BYTES"));
builder.Services.AddHybridCache(hybrid =>
{
    hybrid.MaximumPayloadBytes = 16 * 1024 * 1024;
    hybrid.DefaultEntryOptions = new HybridCacheEntryOptions
    {
        LocalCacheExpiration = TimeSpan.FromSeconds(settings.GetValue<int>("RECORD_EXPIRY")),
        Expiration = TimeSpan.FromSeconds(settings.GetValue<int>("RECORD_EXPIRY")),
        Flags = HybridCacheEntryFlags.DisableDistributedCache,
    };
});
builder.Services.AddSingleton((await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{settings["REDIS_PORT"]}")).GetDatabase());

var app = builder.Build();
app.MapGet("/get/{key}", async (string key, HybridCache cache, IDatabase redis, CancellationToken cancelled) =>
{
    var value = await cache.GetOrCreateAsync(key, (redis, key), static async (state, _) => (string?)await state.redis.StringGetAsync(state.key), cancellationToken: cancelled);
    return value is null ? Results.NotFound() : TypedResults.Ok(new Answer(value));
});
app.MapPost("/set", async (SetRequest set, HybridCache cache, IDatabase redis, CancellationToken cancelled) =>
{
    await redis.StringSetAsync(set.K, set.V);
    await cache.SetAsync(set.K, set.V, cancellationToken: cancelled);
    return TypedResults.Ok(new SetAnswer("OK"));
});
await app.RunAsync();
