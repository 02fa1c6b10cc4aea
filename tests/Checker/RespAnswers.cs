using RpOrleans.Checker.Judging;

namespace RpOrleans.Checker;

/// <summary>What replies in the Redis protocol come to, in the words of HTTP.</summary>
internal static class RespAnswers
{
    /// <summary>That of HTTP for the same; 400 for an error that nothing in a run gives a reason for.</summary>
    public static short Status(Reply reply) => reply switch
    {
        { IsNil: true } => 404,
        { IsError: false } => 200,
        { Text: var text } when text!.StartsWith("ERR upstream", StringComparison.Ordinal) => (short)(text.EndsWith("outcome unknown", StringComparison.Ordinal) ? 504 : 503),
        { Text: var text } when text!.StartsWith("LOADING", StringComparison.Ordinal) || text.StartsWith("EXECABORT", StringComparison.Ordinal) => 503,
        _ => 400,
    };

    /// <summary>What a reply to a read says of a key.</summary>
    public static (short Status, ReadOutcome Outcome, int Version) Judge(Reply reply, int key)
    {
        var status = Status(reply);
        return reply is { IsNil: true } or { IsError: true } ? (status, status == 404 ? ReadOutcome.Absent : ReadOutcome.Error, 0)
            : reply.Kind != '$' || Values.Parse(reply.Text!) is not { } parsed ? (status, ReadOutcome.Malformed, 0)
            : (status, parsed.Key == key ? ReadOutcome.Value : ReadOutcome.OtherKey, parsed.Version);
    }
}
