namespace RpOrleans.Tests.Processes;

/// <summary>What a read of a key that exists came to.</summary>
internal enum Verdict
{
    /// <summary>Its value.</summary>
    Right,

    /// <summary>Something else.</summary>
    Wrong,

    /// <summary>404.</summary>
    Absent,

    /// <summary>Another status; or none, since the connection broke or could not be made.</summary>
    Failed,
}

/// <summary>One answer.</summary>
/// <param name="Sent">When it was asked for, as a timestamp.</param>
/// <param name="Received">When all of it was there.</param>
/// <param name="Gateway">The gateway's number.</param>
/// <param name="Key">The key's number.</param>
/// <param name="Verdict">What it came to.</param>
/// <param name="Status">The HTTP status; 0 for none.</param>
/// <param name="FromRedis">Whether it says that it was read from Redis.</param>
/// <param name="Closes">Whether it closes the connection.</param>
/// <param name="Detail">What was answered, when it was not the value.</param>
internal readonly record struct Answer(
    long Sent, long Received, int Gateway, int Key, Verdict Verdict, int Status, bool FromRedis, bool Closes, string? Detail);
