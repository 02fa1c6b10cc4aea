using System.Net.Sockets;

namespace RpOrleans.Load;

/// <summary>Waits until a server that is being started answers.</summary>
internal static class FirstAnswer
{
    private static readonly TimeSpan _again = TimeSpan.FromMilliseconds(2);

    /// <summary>Asks for the first key, over a new connection each time, until it is answered with its value.</summary>
    /// <returns>When that was, in milliseconds since 1970.</returns>
    /// <exception cref="WrongAnswerException">It was not, for as long as <see cref="Options.Seconds"/>.</exception>
    public static double Await(Options options)
    {
        var values = new Values(options.Bytes);
        var requests = new Requests(options.Speaks, values);
        var until = DateTime.UtcNow.AddSeconds(options.Seconds);
        while (DateTime.UtcNow < until)
        {
            try
            {
                using var connection = new Connection(options.Ports[0], 1);
                connection.Send(requests.Read(ref connection.Request, 0));
                while (!connection.TryReceive())
                {
                    Thread.Sleep(1); // who starts needs the processor more
                    if (DateTime.UtcNow > until)
                    {
                        throw new WrongAnswerException("There was no answer.");
                    }
                }

                var body = connection.Answer.Body;
                if (connection.Answer.Status == 200 && values.Take(ref body, 0) == 0)
                {
                    return (DateTime.UtcNow - DateTime.UnixEpoch).TotalMilliseconds;
                }
            }
            catch (Exception notYet) when (notYet is SocketException or WrongAnswerException)
            {
                // It does not listen yet, or closes what it cannot serve yet.
            }

            Thread.Sleep(_again); // this is how exactly the start is measured
        }

        throw new WrongAnswerException($"Nothing was answered rightly for {options.Seconds} s.");
    }
}
