namespace RpOrleans.Grains.Lru;

/// <summary>
/// A key and a value as they lie in the <see cref="RecordLog"/>: the key's length and one more than the value's, 0 for a key that
/// Redis does not have (both as <see cref="PackedNumber"/>), then the bytes of both.
/// </summary>
internal readonly struct Record
{
    private readonly byte[] _bytes;
    private readonly int _at;
    private readonly int _keyAt;
    private readonly int _keyLength;
    private readonly int _valueLength; // below zero for none

    /// <param name="bytes">The bytes among which it lies.</param>
    /// <param name="at">Where it begins.</param>
    public Record(byte[] bytes, int at)
    {
        (_bytes, _at) = (bytes, at);
        var rest = new ReadOnlySpan<byte>(bytes, at, bytes.Length - at);
        _keyLength = (int)PackedNumber.Read(ref rest);
        _valueLength = (int)PackedNumber.Read(ref rest) - 1;
        _keyAt = bytes.Length - rest.Length;
    }

    /// <summary>The key.</summary>
    public ReadOnlyMemory<byte> Key => new(_bytes, _keyAt, _keyLength);

    /// <summary>The value; empty for a key that Redis does not have.</summary>
    public ReadOnlyMemory<byte> Value => new(_bytes, _keyAt + _keyLength, Math.Max(0, _valueLength));

    /// <summary>Whether Redis does not have the key.</summary>
    public bool Absent => _valueLength < 0;

    /// <summary>The key, for those who only compare it.</summary>
    public ReadOnlySpan<byte> KeySpan => new(_bytes, _keyAt, _keyLength);

    /// <summary>How many bytes it takes.</summary>
    public int Length => _keyAt - _at + _keyLength + Math.Max(0, _valueLength);

    /// <summary>All of it.</summary>
    public ReadOnlySpan<byte> Span => new(_bytes, _at, Length);

    /// <summary>How many bytes the record of a key and a value of these lengths takes.</summary>
    public static int SizeOf(int keyLength, int valueLength) =>
        checked(PackedNumber.SizeOf((ulong)keyLength) + PackedNumber.SizeOf((ulong)valueLength + 1) + keyLength + valueLength);

    /// <summary>Writes one.</summary>
    /// <param name="bytes">Where.</param>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="absent">Whether Redis does not have the key.</param>
    public static void Write(Span<byte> bytes, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool absent)
    {
        bytes = bytes[PackedNumber.Write(bytes, (ulong)key.Length)..];
        bytes = bytes[PackedNumber.Write(bytes, absent ? 0 : (ulong)value.Length + 1)..];
        key.CopyTo(bytes);
        value.CopyTo(bytes[key.Length..]);
    }
}
