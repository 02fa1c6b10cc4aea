using System.Text.Json;

namespace RpOrleans.Load;

/// <summary>What a run brought. CPU in microseconds for a request, delays in milliseconds, shares in percent of the machine.</summary>
internal sealed record Figures
{
    public required long Requests { get; init; }

    public required double Seconds { get; init; }

    /// <summary>Requests a second.</summary>
    public required double Rate { get; init; }

    public required double KeysPerSecond { get; init; }

    public required double Cpu { get; init; }

    public required double P50 { get; init; }

    public required double P90 { get; init; }

    public required double P99 { get; init; }

    public required double P999 { get; init; }

    public required double P9999 { get; init; }

    public required double Max { get; init; }

    /// <summary>Reads that were answered with less than had been acknowledged.</summary>
    public required long Stale { get; init; }

    /// <summary>Requests at a fixed rate that were due and could not even be sent: the server does not keep up.</summary>
    public required long Unsent { get; init; }

    /// <summary>What servers, load generator and others took of the machine.</summary>
    public required double ServersShare { get; init; }

    public required double OwnShare { get; init; }

    public required double OthersShare { get; init; }

    private static readonly JsonSerializerOptions _json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public string ToJson() => JsonSerializer.Serialize(this, _json);
}
