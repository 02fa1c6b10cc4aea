namespace RpOrleans.Grains;

/// <summary>A write that was carried out in the place of whoever owns the key.</summary>
/// <param name="Key">The key's bytes.</param>
/// <param name="View">The version of the view of the node that did.</param>
[GenerateSerializer, Immutable, Alias("rporleans.SettleRequest")]
public sealed record SettleRequest([property: Id(0)] byte[] Key, [property: Id(1)] long View);
