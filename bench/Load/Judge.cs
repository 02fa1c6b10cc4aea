using System.Text;

namespace RpOrleans.Load;

/// <summary>Knows what was written, and compares every answer with it.</summary>
/// <param name="values">What values look like.</param>
/// <param name="keys">How many keys there are.</param>
/// <param name="run">The run's number: versions of a later run are higher, so that what an earlier one left behind is known by them.</param>
internal sealed class Judge(Values values, int keys, int run)
{
    private const long VersionsOfARun = 100_000_000;
    private readonly long _first = run * VersionsOfARun;
    private readonly long[] _sent = new long[keys];
    private readonly long[] _acknowledged = new long[keys];
    private long _last = run * VersionsOfARun;

    /// <summary>Reads of a value that was older than what had been acknowledged when the read was sent.</summary>
    public long Stale { get; set; }

    /// <summary>Whether a write of the key is under way.</summary>
    public bool IsBeingWritten(int key) => _sent[key] != _acknowledged[key];

    /// <summary>The version of a write that is about to be sent.</summary>
    public long NextVersion(int key) => _sent[key] = ++_last;

    /// <summary>Notes what a reader has a right to, when its request is sent.</summary>
    public void Asked(Connection connection)
    {
        for (var i = 0; i < connection.Reads; i++)
        {
            connection.Floors[i] = _acknowledged[connection.Keys[i]];
        }
    }

    /// <summary>Takes an answer.</summary>
    /// <exception cref="WrongAnswerException">It is wrong. Being out of date is not: a cache that waits for an expiry is, and says so.</exception>
    public void Answered(Connection connection)
    {
        var answer = connection.Answer;
        if (connection.Reads == 0)
        {
            if (answer.Status is not (200 or 204))
            {
                throw new WrongAnswerException($"A write was answered: {answer.Text}");
            }

            _acknowledged[connection.Keys[0]] = connection.Version;
            return;
        }

        if (answer.Status != 200)
        {
            throw new WrongAnswerException($"A read was answered: {answer.Text}");
        }

        var rest = answer.Body;
        for (var i = 0; i < connection.Reads; i++)
        {
            var key = connection.Keys[i];
            var from = rest;
            var version = values.Take(ref rest, key);
            if (version < 0 || (version > _sent[key] && version >= _first && version != 0))
            {
                throw new WrongAnswerException(
                    $"Key {key}, number {i} of {connection.Reads}, was answered with something that is not its value, behind the value before it: {Begin(from)}\nThe whole: {answer.Text}");
            }

            if (version < connection.Floors[i])
            {
                Stale++;
            }
        }
    }

    private static string Begin(ReadOnlySpan<byte> text) => Encoding.Latin1.GetString(text[..Math.Min(text.Length, 1_000)]);
}
