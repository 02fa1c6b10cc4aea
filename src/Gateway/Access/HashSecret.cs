using System.Text;

namespace RpOrleans.Gateway.Access;

/// <summary><c>--hash-secret</c>: reads a secret from standard input, and prints what a users file has in its place.</summary>
internal static class HashSecret
{
    public const string Argument = "--hash-secret";

    /// <summary>Does it.</summary>
    /// <returns>The exit code.</returns>
    public static int Run()
    {
        var secret = Console.IsInputRedirected ? Console.In.ReadLine() : Ask();
        if (string.IsNullOrEmpty(secret))
        {
            Console.Error.WriteLine("There is no secret: it is read from standard input, one line.");
            return 1;
        }

        Console.WriteLine(SecretHash.Of(Encoding.UTF8.GetBytes(secret), SecretHash.RoundsOfNew));
        return 0;
    }

    /// <summary>Asks for it without showing it.</summary>
    private static string Ask()
    {
        Console.Error.Write("Secret: ");
        var secret = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } pressed)
        {
            if (pressed.Key != ConsoleKey.Backspace)
            {
                secret.Append(pressed.KeyChar);
            }
            else if (secret.Length > 0)
            {
                secret.Length--;
            }
        }

        Console.Error.WriteLine();
        return secret.ToString();
    }
}
