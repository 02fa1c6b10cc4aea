using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace RpOrleans.Gateway.Access;

// Checking a secret is slow on purpose, and a request of HTTP brings its own. So what was right is remembered, as a hash with
// a key of this process, until it was not used for a minute: whoever is active is let in at once, even while somebody else
// guesses. What was wrong is never remembered, and takes as long whether or not there is such a user.

/// <summary>Lets users in who know their secret.</summary>
internal sealed class Logins(Users users, TimeProvider time)
{
    private static readonly TimeSpan _rememberedFor = TimeSpan.FromMinutes(1);

    private readonly SecretHash _nobodys = SecretHash.Of(RandomNumberGenerator.GetBytes(32), rounds: 1);
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly ConcurrentDictionary<User, Remembered> _remembered = new(); // one for each user at most

    // Half of the processors: those who guess do not get the other half.
    private readonly SemaphoreSlim _checks = new(Math.Max(1, Environment.ProcessorCount / 2));

    /// <summary>Those who can log in.</summary>
    public Users Users => users;

    /// <summary>Checks a secret.</summary>
    /// <returns>The user; <see langword="null"/> if there is none of this name, or the secret is wrong.</returns>
    public ValueTask<User?> LogInAsync(string name, ReadOnlySpan<byte> secret)
    {
        var user = users.Find(name);
        var mark = HMACSHA256.HashData(_key, secret);
        return user is not null && Remembers(user, mark) ? new(user) : new(CheckAsync(user, secret.ToArray(), mark));
    }

    private async Task<User?> CheckAsync(User? user, byte[] secret, byte[] mark)
    {
        await _checks.WaitAsync().ConfigureAwait(false);
        try
        {
            if (user is not null && Remembers(user, mark))
            {
                return user; // another connection of this user was checked meanwhile
            }

            // Not where it stands: that is the thread on which requests of others arrive.
            var right = await Task.Run(() => (user?.Secret ?? _nobodys).IsOf(secret, users.Rounds)).ConfigureAwait(false);
            if (user is null || !right)
            {
                return null;
            }

            _remembered[user] = new Remembered(mark, time.GetTimestamp());
            return user;
        }
        finally
        {
            _checks.Release();
        }
    }

    private bool Remembers(User user, byte[] mark)
    {
        if (!_remembered.TryGetValue(user, out var last) || !CryptographicOperations.FixedTimeEquals(last.Mark, mark))
        {
            return false;
        }

        var now = time.GetTimestamp();
        if (time.GetElapsedTime(last.UsedAt, now) > _rememberedFor)
        {
            _remembered.TryRemove(KeyValuePair.Create(user, last));
            return false;
        }

        last.UsedAt = now;
        return true;
    }

    /// <summary>A secret that was right.</summary>
    private sealed class Remembered(byte[] mark, long usedAt)
    {
        private long _usedAt = usedAt;

        public byte[] Mark => mark;

        public long UsedAt
        {
            get => Volatile.Read(ref _usedAt);
            set => Volatile.Write(ref _usedAt, value);
        }
    }
}
