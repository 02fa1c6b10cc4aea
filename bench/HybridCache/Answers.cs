using System.Text.Json.Serialization;

namespace RpOrleans.HybridCache;

/// <summary>The answer to a read.</summary>
internal sealed record Answer(string Value);

/// <summary>A write.</summary>
internal sealed record SetRequest(string K, string V);

/// <summary>The answer to a write.</summary>
internal sealed record SetAnswer(string Result);

/// <summary>How they look in JSON, written at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Answer))]
[JsonSerializable(typeof(SetRequest))]
[JsonSerializable(typeof(SetAnswer))]
internal sealed partial class AnswersJson : JsonSerializerContext;
