namespace RpOrleans.Tests.Resp.Differential;

/// <summary>What stands in commands: few keys, so that all types meet in them, and values that commands might mistake.</summary>
internal static class Words
{
    private const string P = Step.Prefix;

    /// <summary>A time that is not over before a case is, in seconds as in milliseconds: no reply depends on how fast anybody was.</summary>
    public static readonly string[] Lives = ["90000", "100000", "-1", "0", "abc", "9223372036854775807", ""];

    /// <summary>How long a command waits: not at all, nearly. (0 would be for ever.)</summary>
    public static readonly string[] WaitsInSeconds = ["0.001", "0.002", "-1", "abc", ""];

    /// <inheritdoc cref="WaitsInSeconds"/>
    public static readonly string[] WaitsInMilliseconds = ["1", "2", "-1", "abc", ""];

    public static readonly string[] Integers = ["0", "1", "2", "3", "-1", "-2", "5", "10", "100"];
    public static readonly string[] OddIntegers = ["9223372036854775807", "-9223372036854775808", "9223372036854775808", "abc", "1.5", "", "+1", "01", "0x1", "-0"];
    public static readonly string[] Doubles = ["1", "1.5", "-2", "0", "1e3", "100", "13.361389", "38.115556"];

    // None that a double cannot hold: what "1e400" leaves in errno, SORT takes for a failure of its own, until a call to the kernel overwrites it. Nor one near that: with 1e300 numbers in replies differed now and then, and not when asked again.
    public static readonly string[] OddDoubles = ["inf", "-inf", "nan", "abc", "", "(1", "[a", "1,5", "0x10"];

    /// <summary>In 2100, or in seconds long after. What is written with an end in the past is gone only when Redis looks, and so there is none.</summary>
    public static readonly string[] Moments = ["4102444800000", "4102444800001", "0", "-1"];
    public static readonly string[] Strings = ["a", "b", "foo", "field", "1", "2", "10", "-5", "1.5", "", "x y", "\0\u0001\r\n", "\u00e9\u00ff", new('x', 100), new('y', 3_000)];
    public static readonly string[] Odd = ["", "abc", "\0", "\r\n", "-1", "9223372036854775807", "*", "NX", "LIMIT", "(", "{", "\u00ff\u00fe", "COUNT", "$1", "a b"];
    public static readonly string[] Patterns = ["*", P + "*", P + "?", "a*", "[", "\\", "h[a-", ""];
    public static readonly string[] Ids = ["1-1", "2-1", "3-1", "9-9", "0", "0-0", "$", ">", "-", "+", "5-*", "1-", "abc", "18446744073709551615-18446744073709551615", "4"];
    public static readonly string[] Ranges = ["-", "+", "[a", "(b", "[foo", "0", "-1", "1", "(1", "-inf", "+inf", "2.5", "10"];
    public static readonly string[] Flags = ["0", "1", "-1", "LEFT", "RIGHT", "EX", "ANY", "WITHSCORES", "GT", "AND", "OR", "NOT", "u8", "i16", "#1", "m", "km", "BYTE"];
    public static readonly string[] Groups = ["g", "g", "g2", "none"];
    public static readonly string[] Consumers = ["c", "d"];
    public static readonly string[] Channels = [P + "nobody", P + "someone", ""];
    public static readonly string[] Functions = ["f1", "f2", "none"];
    public static readonly string[] Libraries =
    [
        "#!lua name=lib1\nredis.register_function('f1', function(keys, args) return args[1] end)",
        "#!lua name=lib2\nredis.register_function{function_name='f2', callback=function(keys, args) return redis.call('GET', keys[1]) end, flags={'no-writes'}}",
        "#!lua name=lib1\nsyntax error(", "no header",
    ];

    public static readonly string[] Scripts =
    [
        "return 1", "return {1, 'two', {3, false}, {ok='fine'}}", "return ARGV[1]", "return redis.call('GET', KEYS[1])", "return redis.call('SET', KEYS[1], ARGV[1] or 'w')", "return redis.error_reply('MINE it is')",
        "redis.setresp(3) return redis.call('HGETALL', KEYS[1] or 'none')", "return redis.pcall('INCR', KEYS[1])", "syntax error(", "return redis.call('NOSUCH')", "return redis.call('DEL', '" + P + "s')", "return {err='plain'}", "return {double=1.5}",
    ];

    public static readonly string[] Hashes = ["e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "ffffffffffffffffffffffffffffffffffffffff", "abc"];

    /// <summary>The key of a type, by the group that the server puts its commands in.</summary>
    public static string[] KeysOf(string group) => group switch
    {
        "string" or "bitmap" => [P + "s", P + "n"],
        "list" => [P + "l"],
        "set" => [P + "t", P + "u"],
        "hash" => [P + "h"],
        "sorted-set" or "sorted_set" => [P + "z"],
        "stream" => [P + "x"],
        "hyperloglog" => [P + "p"],
        "geo" => [P + "e"],
        _ => Keys,
    };

    public static readonly string[] Keys = [P + "s", P + "n", P + "l", P + "t", P + "u", P + "h", P + "z", P + "x", P + "p", P + "e", P + "none", P + "new"];

    public static readonly string[] OddKeys = ["", P + "\0\r\n", P + "\u00ff\u00fe", P + "a b", P + new string('k', 1_500)];
}
