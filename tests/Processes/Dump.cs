using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Processes;

/// <summary>A data set on disk, for a Redis to start with.</summary>
internal sealed class Dump : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("dump-");

    /// <summary>What makes a Redis start with it.</summary>
    public string[] Arguments => ["--dir", _directory.FullName, "--dbfilename", "dump.rdb"];

    /// <summary>Has a Redis save what is put into it.</summary>
    public async Task SaveAsync(Func<RedisServer, Task> fill)
    {
        await using var redis = await RedisServer.StartAsync(extraArgs: Arguments);
        await fill(redis);
        Assert.Equal("+OK", await redis.CommandAsync("SAVE"));
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
