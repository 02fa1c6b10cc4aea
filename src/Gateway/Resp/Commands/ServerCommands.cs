using RpOrleans.Gateway.Resp.Upstream;
using RpOrleans.Grains.Origin;

namespace RpOrleans.Gateway.Resp.Commands;

/// <summary>The server's command table, read when it is first needed, and again when somebody uses a command that is not in it.</summary>
internal sealed class ServerCommands(UpstreamPool pool, TimeProvider time)
{
    /// <summary>How often it is read at most for a command that is not in it.</summary>
    private static readonly TimeSpan _again = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _reading = new(1, 1);
    private volatile NameTable<Command>? _table;
    private long _readAt;

    /// <summary>What a name stands for, when that is known without asking the server.</summary>
    public Command? Find(ReadOnlySpan<byte> name) => _table?.Find(name);

    /// <summary>Whether a command that is not found may be found after <see cref="ReadAsync"/>.</summary>
    public bool Outdated => _table is null || time.GetElapsedTime(Volatile.Read(ref _readAt)) > _again;

    /// <summary>Reads it.</summary>
    /// <exception cref="OriginException">The server cannot be asked.</exception>
    public async Task ReadAsync()
    {
        await _reading.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!Outdated)
            {
                return; // somebody else did meanwhile
            }

            _table = await pool.UseAsync(CommandTable.ReadAsync).ConfigureAwait(false);
            Volatile.Write(ref _readAt, time.GetTimestamp());
        }
        finally
        {
            _reading.Release();
        }
    }
}
