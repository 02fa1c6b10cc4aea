namespace RpOrleans.Tests.Support;

/// <summary>Marks tests that wait for most of their time: <c>test.sh</c> runs them in a process of their own, beside the others.</summary>
internal static class Beside
{
    public const string Name = nameof(Beside);

    public const string Others = nameof(Others);
}
