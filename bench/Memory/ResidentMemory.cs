namespace RpOrleans.Memory;

/// <summary>The memory that this process has.</summary>
internal static class ResidentMemory
{
    /// <summary>Its resident set.</summary>
    public static long Bytes => Environment.WorkingSet;
}
