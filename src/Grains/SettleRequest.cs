namespace RpOrleans.Grains;

/// <summary>Writes that were carried out in the place of whoever owns the keys.</summary>
/// <param name="Keys">The keys; <see langword="null"/> for any.</param>
/// <param name="View">The version of the view of the node that did.</param>
[GenerateSerializer, Immutable, Alias("rporleans.SettleRequest")]
public sealed record SettleRequest([property: Id(0)] byte[][]? Keys, [property: Id(1)] long View);
