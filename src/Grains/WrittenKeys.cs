namespace RpOrleans.Grains;

/// <summary>Keys that a gateway had Redis write, past the nodes.</summary>
/// <param name="Keys">Their bytes; <see langword="null"/> when any may have been written.</param>
[GenerateSerializer, Immutable, Alias("rporleans.WrittenKeys")]
public sealed record WrittenKeys([property: Id(0)] byte[][]? Keys);
