namespace RpOrleans.Grains.Lru;

/// <summary>Chooses keys.</summary>
internal delegate bool KeyPredicate(ReadOnlySpan<byte> key);
