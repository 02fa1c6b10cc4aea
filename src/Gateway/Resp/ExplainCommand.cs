using RpOrleans.Gateway.Routing;

namespace RpOrleans.Gateway.Resp;

/// <summary><c>RP.EXPLAIN key</c>: who owns a key, and what is held of it. A command of our own, in the manner of <c>OBJECT</c>.</summary>
internal static class ExplainCommand
{
    /// <summary>Answers with a map of names and values.</summary>
    public static async ValueTask AnswerAsync(byte[] key, Router router, ReplyOutput output, int protocol)
    {
        var (explanation, fault) = await router.ExplainAsync(key).ConfigureAwait(false);
        if (explanation is null)
        {
            output.WriteError(Upstream.UpstreamErrors.TextOf(fault));
            return;
        }

        (string Name, object Value)[] fields =
        [
            ("owner", explanation.Node),
            ("held", explanation.Held ? explanation.Absent ? "absent" : "value" : explanation.Owner ? "no" : "not the owner"),
            ("bytes", explanation.ValueBytes),
            ("age-ms", explanation.AgeMilliseconds),
            ("fresh-ms", explanation.FreshMilliseconds),
            ("freshness", explanation.Held ? explanation.Freshness.ToString().ToLowerInvariant() : "none"),
            ("loading", explanation.Loading ? 1L : 0L),
            ("why", explanation.Why),
        ];
        output.WriteMapHead(fields.Length, protocol);
        foreach (var (name, value) in fields)
        {
            output.WriteBulk(name);
            if (value is long number)
            {
                output.WriteInteger(number);
            }
            else
            {
                output.WriteBulk((string)value);
            }
        }
    }
}
