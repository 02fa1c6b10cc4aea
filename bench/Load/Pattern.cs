namespace RpOrleans.Load;

/// <summary>Which keys are asked for how often.</summary>
internal enum Pattern
{
    /// <summary>Every one as often as another.</summary>
    Uniform,

    /// <summary>The key of rank n in proportion to n^−0.99.</summary>
    Zipf,

    /// <summary>One key with 90 % of the reads.</summary>
    Hot,

    /// <summary>Every one once, in order.</summary>
    Each,
}

/// <summary>Chooses keys, always the same from the same seed.</summary>
internal sealed class KeyChooser
{
    private const double Exponent = 0.99;
    private const double HotShare = 0.9;
    private readonly Random _random;
    private readonly Pattern _pattern;
    private readonly int _keys;
    private readonly double[] _upTo = [];
    private int _next;

    public KeyChooser(Pattern pattern, int keys, int seed)
    {
        (_pattern, _keys, _random) = (pattern, keys, new Random(seed));
        if (pattern == Pattern.Zipf)
        {
            _upTo = new double[keys];
            var sum = 0.0;
            for (var rank = 0; rank < keys; rank++)
            {
                _upTo[rank] = sum += Math.Pow(rank + 1, -Exponent);
            }
        }
    }

    /// <summary>Whether there is another one.</summary>
    public bool Any => _pattern != Pattern.Each || _next < _keys;

    /// <summary>The next key.</summary>
    public int Next() => _pattern switch
    {
        Pattern.Uniform => _random.Next(_keys),
        Pattern.Hot => _random.NextDouble() < HotShare ? 0 : _random.Next(1, _keys),
        Pattern.Each => _next++,
        _ => NextZipf(),
    };

    private int NextZipf()
    {
        var at = Array.BinarySearch(_upTo, _random.NextDouble() * _upTo[^1]);
        return Math.Min(at < 0 ? ~at : at, _keys - 1);
    }
}
