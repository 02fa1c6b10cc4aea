using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace RpOrleans.Gateway.Resp.Commands;

/// <summary>What is found by a name as it stands in a request, whatever its case.</summary>
internal sealed class NameTable<T>
    where T : class
{
    /// <summary>One with nothing in it.</summary>
    public static readonly NameTable<T> Empty = new([]);

    private readonly Dictionary<string, T> _byName;
    private readonly Dictionary<string, T>.AlternateLookup<ReadOnlySpan<byte>> _byBytes;

    public NameTable(IEnumerable<KeyValuePair<string, T>> items)
    {
        _byName = new Dictionary<string, T>(items, new Comparer());
        _byBytes = _byName.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    /// <summary>All of it.</summary>
    public IEnumerable<T> Items => _byName.Values;

    public T? Find(ReadOnlySpan<byte> name) => _byBytes.TryGetValue(name, out var found) ? found : null;

    private sealed class Comparer : IEqualityComparer<string>, IAlternateEqualityComparer<ReadOnlySpan<byte>, string>
    {
        public bool Equals(string? x, string? y) => string.Equals(x, y, StringComparison.OrdinalIgnoreCase);

        public int GetHashCode([DisallowNull] string obj) => GetHashCode(Encoding.Latin1.GetBytes(obj));

        public bool Equals(ReadOnlySpan<byte> alternate, string other) => Ascii.EqualsIgnoreCase(alternate, other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = 2_166_136_261u; // FNV-1a: names are a few letters
            foreach (var letter in alternate)
            {
                hash = (hash ^ (uint)(letter | 0x20)) * 16_777_619;
            }

            return (int)hash;
        }

        public string Create(ReadOnlySpan<byte> alternate) => Encoding.Latin1.GetString(alternate);
    }
}
