using CsCheck;

namespace RpOrleans.Tests.Resp.Differential;

/// <summary>Choices.</summary>
internal static class Choices
{
    /// <summary>A number from 0, below this.</summary>
    public static int Below(this PCG pcg, int count) => (int)pcg.Next((uint)count);

    /// <summary>True once in so many times.</summary>
    public static bool Chance(this PCG pcg, int times) => pcg.Below(times) == 0;

    public static T OneOf<T>(this PCG pcg, IReadOnlyList<T> choices) => choices[pcg.Below(choices.Count)];
}
