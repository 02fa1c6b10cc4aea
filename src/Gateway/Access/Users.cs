using System.Text;
using RpOrleans.Grains.Settings;

namespace RpOrleans.Gateway.Access;

/// <summary>Everybody who may use the gateway. Read at start; a change takes a restart.</summary>
internal sealed class Users
{
    private readonly Dictionary<string, User> _byName;

    private Users(IEnumerable<User> users)
    {
        _byName = users.ToDictionary(user => user.Name, StringComparer.Ordinal);
        Rounds = _byName.Values.Max(user => user.Secret.Rounds);
    }

    /// <summary>How many rounds of hashing a login takes, whoever it is.</summary>
    public int Rounds { get; }

    /// <summary>Reads them.</summary>
    /// <param name="options">Where they are.</param>
    /// <param name="reader">Told of what is wrong.</param>
    /// <returns><see langword="null"/> when there are none, and so everybody may do everything; or when something is wrong.</returns>
    public static Users? Read(GatewayOptions options, SettingsReader reader)
    {
        var users = new List<User>();
        if (options.Password is { } password)
        {
            // It is known here, as it is: one round, and it is slow only where others are.
            users.Add(new User(User.Default, SecretHash.Of(Encoding.UTF8.GetBytes(password), rounds: 1), mayWrite: true, prefix: []));
        }

        if (options.UsersFile is { } file)
        {
            users.AddRange(UsersFile.Read(file, options.Password is null ? [] : [User.Default], reader));
        }

        return users.Count > 0 ? new Users(users) : null;
    }

    public User? Find(string name) => _byName.GetValueOrDefault(name);
}
