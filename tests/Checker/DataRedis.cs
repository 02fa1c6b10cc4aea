using RpOrleans.Tests.Support;

namespace RpOrleans.Checker;

/// <summary>The Redis that is cached: killed and started again in its place, with what it held, with nothing, or with something else.</summary>
internal sealed class DataRedis : IAsyncDisposable
{
    private const string File = "data.rdb";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("checker-");
    private RedisServer _server = null!;

    public int Port { get; private set; }

    private string Dump => Path.Combine(_directory.FullName, File);

    private string[] Arguments => ["--dir", _directory.FullName, "--dbfilename", File];

    public static async Task<DataRedis> StartAsync()
    {
        var redis = new DataRedis();
        redis._server = await RedisServer.StartAsync(extraArgs: redis.Arguments);
        redis.Port = redis._server.Port;
        return redis;
    }

    public Task<string> CommandAsync(params string[] words) => _server.CommandAsync(words);

    public void Pause() => _server.Pause();

    public void Resume() => _server.Resume();

    /// <summary>Saves, and kills it; nobody may write meanwhile.</summary>
    public async Task KillAsync()
    {
        await CommandAsync("SAVE");
        await _server.KillAsync();
    }

    /// <summary>Has it start with nothing.</summary>
    public void Forget() => System.IO.File.Delete(Dump);

    /// <summary>Has it start with other things, which are put into a Redis of their own first.</summary>
    public async Task<Action> PrepareAsync(Func<RedisLink, Task> fill)
    {
        var other = Directory.CreateTempSubdirectory("checker-");
        await using (var server = await RedisServer.StartAsync(extraArgs: ["--dir", other.FullName, "--dbfilename", File]))
        {
            using var link = new RedisLink(server.Port);
            await fill(link);
            await link.CommandAsync("SAVE");
        }

        return () =>
        {
            System.IO.File.Copy(Path.Combine(other.FullName, File), Dump, overwrite: true);
            other.Delete(recursive: true);
        };
    }

    /// <summary>Starts it again.</summary>
    public async Task StartAgainAsync()
    {
        await _server.DisposeAsync();
        _server = await RedisServer.StartAsync(Port, password: null, Arguments);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _directory.Delete(recursive: true);
    }
}
