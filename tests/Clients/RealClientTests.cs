using RpOrleans.Tests.Processes;
using RpOrleans.Tests.Support;
using Xunit.Abstractions;

namespace RpOrleans.Tests.Clients;

/// <summary>Clients that applications use, through their own libraries, in front of a gateway that is killed on the way.</summary>
[Collection(ProcessesCollection.Name)]
[Trait(Beside.Name, Beside.Others)]
public sealed class RealClientTests(ITestOutputHelper output)
{
    [SkippableFact]
    public Task RedisCliIsServedAndFindsTheNextGateway()
    {
        RequireRedisTools();
        return RunAsync("bash", "redis_cli.sh");
    }

    [SkippableFact]
    public Task RedisBenchmarkRunsAllThatItHas()
    {
        RequireRedisTools();
        return RunAsync("bash", "redis_benchmark.sh");
    }

    [SkippableFact]
    public Task RedisPyIsServedAndFindsTheNextGateway() => RunAsync(
        ClientScript.Require("redis-py is not installed (Debian package: python3-redis).", ["/usr/bin/python3", "python3"], "-c", "import redis"), "redis_py.py");

    [SkippableFact]
    public Task IoRedisIsServedAndFindsTheNextGateway() => RunAsync(RequireNode("ioredis"), "ioredis.mjs");

    [SkippableFact]
    public Task NodeRedisIsServedInBothVersionsAndFindsTheNextGateway() => RunAsync(RequireNode("redis"), "node_redis.mjs");

    private static void RequireRedisTools() => ClientScript.Require("redis-cli is not installed (Debian package: redis-tools).", ["redis-cli"], "--version");

    private static string RequireNode(string package) =>
        ClientScript.Require($"{package} is not installed (npm ci --prefix tests/Clients).", ["node"], "--input-type=module", "-e", $"import '{package}'");

    private async Task RunAsync(string program, string file) => output.WriteLine(await new ClientScript(program, file).RunAsync());
}
