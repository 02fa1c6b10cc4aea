using System.Text;
using RpOrleans.Gateway.Access;

namespace RpOrleans.Tests.Access;

/// <summary>A users file with quick hashes, and who stands in it.</summary>
internal sealed class UsersForTests : IDisposable
{
    public const string Password = "s3cret-of-default";
    public const string Reader = "s3cret-of-reader";
    public const string App = "s3cret-of-app";
    public const string AppReader = "s3cret-of-app-reader";

    public UsersForTests() => System.IO.File.WriteAllLines(File,
    [
        "# name hash rights prefix",
        "",
        Line("reader", Reader, "read", "*"),
        Line("app", App, "write", "app:"),
        $"  {Line("app-reader", AppReader, "read", "app:")}  ",
    ]);

    public string File { get; } = Path.GetTempFileName();

    /// <summary>The settings that name them, the default user with them.</summary>
    public (string Name, string Value)[] Settings => [("RESP_PASSWORD", Password), ("RESP_USERS_FILE", File)];

    public static string Line(string name, string secret, string rights, string prefix) => $"{name} {Hash(secret)} {rights} {prefix}";

    public static string Hash(string secret, int rounds = 1_000) => SecretHash.Of(Encoding.UTF8.GetBytes(secret), rounds).ToString();

    public void Dispose() => System.IO.File.Delete(File);
}
