namespace RpOrleans.Tests.Resp.Differential;

/// <summary>Steps that belong together: a transaction, say. When a case is shortened, the first and the last of several stay.</summary>
internal sealed record Group(Step[] Steps);

/// <summary>What one client sends, and in which pieces.</summary>
/// <param name="Protocol">2 or 3.</param>
/// <param name="Groups">The commands.</param>
/// <param name="Cuts">Where the bytes are cut, as parts of the whole.</param>
/// <param name="Quits">Whether it ends with <c>QUIT</c>.</param>
internal sealed record Case(int Protocol, Group[] Groups, double[] Cuts, bool Quits)
{
    /// <summary>What every case begins with: a key of each type.</summary>
    public static readonly Step[] Data =
    [
        Step.Of("SET {}s foo0123456789"), Step.Of("SET {}n 10"), Step.Of("RPUSH {}l a b c 1 a 10"), Step.Of("SADD {}t 1 2 3 10"), Step.Of("SADD {}u a b foo"),
        Step.Of("HSET {}h a 1 b foo field 10"), Step.Of("ZADD {}z 1 a 2 b 2.5 foo 10 1"), Step.Of("XADD {}x 1-1 a 1 b 2"), Step.Of("XADD {}x 2-1 foo bar"), Step.Of("XGROUP CREATE {}x g 0"),
        Step.Of("PFADD {}p a b foo"), Step.Of("GEOADD {}e 13.361389 38.115556 a 15.087269 37.502669 b"),
    ];

    public int Commands => Data.Length + Groups.Sum(group => group.Steps.Length);

    public override string ToString() => $"RESP{Protocol}, after a key of each type{(Quits ? ", then QUIT" : "")}:\n" + string.Join('\n', Groups.SelectMany(group => group.Steps).Select(step => $"  {step}"));
}
