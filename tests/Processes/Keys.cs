using System.Globalization;
using RpOrleans.Tests.Support;

namespace RpOrleans.Tests.Processes;

/// <summary>Keys whose values follow from their names, so that any answer can be checked.</summary>
internal sealed record Keys(string Prefix, int Count)
{
    private const string Fill = """
        for i = 0, ARGV[2] - 1 do
          local key = ARGV[1] .. ':' .. i
          redis.call('SET', key, 'value of ' .. key .. string.rep('.', i % 100))
        end
        return tonumber(ARGV[2])
        """;

    public string Key(int index) => $"{Prefix}:{index}";

    public string Value(int index) => $"value of {Prefix}:{index}{new string('.', index % 100)}";

    /// <summary>Puts them into Redis.</summary>
    public async Task FillAsync(RedisServer redis)
    {
        var reply = await redis.CommandAsync("EVAL", Fill, "0", Prefix, Count.ToString(CultureInfo.InvariantCulture));
        Assert.Equal($":{Count}", reply);
    }
}
