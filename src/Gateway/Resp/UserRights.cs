using RpOrleans.Gateway.Access;
using RpOrleans.Gateway.Resp.Commands;

namespace RpOrleans.Gateway.Resp;

// Redis sees one user, the gateway's own, so its ACL does not tell clients apart: this does, by the server's table of commands.
// Where the table leaves room for doubt, a user with limits is refused.

/// <summary>Why a command is refused, in Redis's words.</summary>
internal static class UserRights
{
    /// <summary>A key is not the user's.</summary>
    public const string KeyRefused = "NOPERM this user has no permissions to access one of the keys used as arguments";

    /// <summary>A command is not for the user.</summary>
    public static string CommandRefused(string command) => $"NOPERM this user has no permissions to run the '{command}' command";

    /// <summary>Why a user may not run a command.</summary>
    /// <returns><see langword="null"/> if it may.</returns>
    public static string? RefusalOf(User user, in Request request, Command command)
    {
        if (!user.MayWrite && !command.ReadsOnly && (command.Writes || command.Scripts))
        {
            return CommandRefused(command.Name);
        }

        return user.HasPrefix ? RefusalOfKeys(user, request, command) : null;
    }

    /// <summary>Whether the first words after the command's name are all keys that a user may use.</summary>
    public static bool MayUse(User user, in Request request, int keys)
    {
        for (var i = 1; i <= keys; i++)
        {
            if (!user.MayUse(request[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static string? RefusalOfKeys(User user, in Request request, Command command)
    {
        // A script may use keys that it does not name.
        if (command.Scripts || command.KeysIncomplete)
        {
            return CommandRefused(command.Name);
        }

        var any = false;
        foreach (var spec in command.Keys)
        {
            if (spec.IsAmbiguousIn(request))
            {
                return CommandRefused(command.Name);
            }

            foreach (var at in spec.In(request))
            {
                any = true;
                if (!user.MayUse(request[at]))
                {
                    return KeyRefused;
                }
            }
        }

        // Without a key, what reads or writes does so with all of them.
        return !any && (command.Keys.Count > 0 || command.ReadsOnly || command.Writes) ? CommandRefused(command.Name) : null;
    }
}
