using System.Diagnostics;

namespace RpOrleans.Load;

// One thread does it all, and nothing is allocated meanwhile. In a closed loop each connection sends its next request as soon as it has been
// answered. At a fixed rate requests are due by the clock, evenly spaced, whether or not the server keeps up; the next free connection takes
// the one that has waited longest, and its delay counts from when it was due, not from when it could be sent: a server that stands still
// for a second delays all who would have come in that second ("coordinated omission" is to leave them out).

/// <summary>Load on a server, for some seconds.</summary>
internal sealed class Run : IDisposable
{
    /// <summary>Load that goes before what is counted, in seconds.</summary>
    private const double LeadIn = 0.3;

    /// <summary>What was due when the time is over is still awaited for so long, in seconds.</summary>
    private const double AwaitAtMost = 5;

    private readonly Options _options;
    private readonly Epoll _epoll = new();
    private readonly Connection[] _connections;
    private readonly Queue<Connection> _idle = new();
    private readonly KeyChooser _chooser;
    private readonly Random _random;
    private readonly Requests _requests;
    private readonly Judge _judge;
    private Histogram _delays = new();
    private long _keysRead;
    private int _underWay;

    private Run(Options options)
    {
        var values = new Values(options.Bytes);
        _options = options;
        _chooser = new KeyChooser(options.Pattern, options.Keys, options.Seed + 1);
        _random = new Random(options.Seed);
        _requests = new Requests(options.Speaks, values);
        _judge = new Judge(values, options.Keys, options.Seed);
        _connections = new Connection[options.Connections];
        for (var i = 0; i < _connections.Length; i++)
        {
            _connections[i] = new Connection(options.Ports[i % options.Ports.Count], options.Batch);
            _epoll.Watch(_connections[i].Handle, i);
            _idle.Enqueue(_connections[i]);
        }
    }

    private bool ByTheClock => _options.Rate > 0;

    /// <summary>Asks, and measures.</summary>
    /// <exception cref="WrongAnswerException">An answer was wrong, or did not come.</exception>
    public static Figures Measure(Options options)
    {
        using var run = new Run(options);
        Epoll.WakePunctually();
        run.Ask(LeadIn);
        run._delays = new Histogram();
        run._keysRead = run._judge.Stale = 0;
        var before = CpuTimes.Now(options.Servers);
        var began = Stopwatch.GetTimestamp();
        var unsent = run.Ask(options.Seconds);
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        var used = CpuTimes.Now(options.Servers) - before;
        double Share(double cpu) => 100 * Math.Max(0, cpu) / seconds / Environment.ProcessorCount;
        double Delay(double percent) => run._delays.At(percent) * 1000.0 / Stopwatch.Frequency;
        return new Figures
        {
            Requests = run._delays.Count,
            Seconds = seconds,
            Rate = run._delays.Count / seconds,
            KeysPerSecond = run._keysRead / seconds,
            Cpu = 1e6 * used.Servers / Math.Max(1, run._delays.Count),
            P50 = Delay(50),
            P90 = Delay(90),
            P99 = Delay(99),
            P999 = Delay(99.9),
            P9999 = Delay(99.99),
            Max = Delay(100),
            Stale = run._judge.Stale,
            Unsent = unsent,
            ServersShare = Share(used.Servers),
            OwnShare = Share(used.Own),
            OthersShare = Share(used.Machine - used.Servers - used.Own),
        };
    }

    /// <summary>Asks for every key once.</summary>
    /// <exception cref="WrongAnswerException">An answer was wrong, or did not come.</exception>
    public static void Check(Options options)
    {
        using var run = new Run(options with { Pattern = Pattern.Each, Rate = 0, Batch = 1, Writes = 0 });
        run.Ask(double.PositiveInfinity);
        if (run._delays.Count != options.Keys)
        {
            throw new WrongAnswerException($"{run._delays.Count} of {options.Keys} keys were answered.");
        }
    }

    public void Dispose()
    {
        foreach (var connection in _connections)
        {
            connection.Dispose();
        }

        _epoll.Dispose();
    }

    /// <summary>Asks for so long, and awaits every answer.</summary>
    /// <returns>How many requests were due and could not be sent.</returns>
    private long Ask(double seconds)
    {
        var began = Stopwatch.GetTimestamp();
        var lastAnswer = began;
        var end = double.IsInfinity(seconds) ? long.MaxValue : began + (long)(seconds * Stopwatch.Frequency);
        var interval = ByTheClock ? Stopwatch.Frequency / _options.Rate : 0;
        var total = ByTheClock ? (long)(seconds * _options.Rate) : 0;
        var sent = 0L;
        while (true)
        {
            var now = Stopwatch.GetTimestamp();
            if (ByTheClock)
            {
                for (; sent < total && _idle.Count > 0 && Due(sent) <= now; sent++)
                {
                    Send(_idle.Dequeue(), Due(sent));
                }
            }
            else
            {
                while (_idle.Count > 0 && now < end && _chooser.Any)
                {
                    Send(_idle.Dequeue(), Stopwatch.GetTimestamp());
                }
            }

            var over = ByTheClock ? sent == total : now >= end || !_chooser.Any;
            if (over && _underWay == 0)
            {
                return 0;
            }

            if (ByTheClock && now - end > AwaitAtMost * Stopwatch.Frequency && sent < total)
            {
                // It does not keep up; what is under way is awaited, the rest is given up.
                (sent, var unsent) = (total, total - sent);
                total = sent;
                while (_underWay > 0)
                {
                    Receive(Stopwatch.Frequency);
                }

                return unsent;
            }

            var wait = ByTheClock && sent < total && _idle.Count > 0 ? Due(sent) - now : Stopwatch.Frequency;
            if (Receive(Math.Max(0, wait)))
            {
                lastAnswer = now;
            }
            else if (_underWay > 0 && now - lastAnswer > AwaitAtMost * Stopwatch.Frequency)
            {
                throw new WrongAnswerException($"{_underWay} requests were not answered within {AwaitAtMost} s.");
            }
        }

        long Due(long number) => began + (long)(number * interval);
    }

    /// <summary>Takes the answers that are there, after waiting for the first of them.</summary>
    /// <returns>Whether there was one.</returns>
    private bool Receive(long waitTimestamps)
    {
        var any = false;
        var ready = _epoll.Wait(waitTimestamps * (1_000_000_000 / Stopwatch.Frequency));
        for (var i = 0; i < ready; i++)
        {
            var connection = _connections[_epoll.Number(i)];
            if (connection.TryReceive())
            {
                any = true;
                _delays.Add(Stopwatch.GetTimestamp() - connection.Since);
                _judge.Answered(connection);
                _keysRead += connection.Reads;
                _underWay--;
                _idle.Enqueue(connection);
            }
        }

        return any;
    }

    private void Send(Connection connection, long since)
    {
        int length;
        var key = connection.Keys[0] = _chooser.Next();
        if (_options.Writes > 0 && _random.NextDouble() < _options.Writes && !_judge.IsBeingWritten(key))
        {
            connection.Reads = 0;
            connection.Version = _judge.NextVersion(key);
            length = _requests.Write(ref connection.Request, key, connection.Version);
        }
        else
        {
            connection.Reads = _options.Batch;
            for (var i = 1; i < _options.Batch; i++)
            {
                connection.Keys[i] = _chooser.Next();
            }

            _judge.Asked(connection);
            length = _options.Batch == 1 ? _requests.Read(ref connection.Request, key) : _requests.ReadMany(ref connection.Request, connection.Keys);
        }

        connection.Since = since;
        _underWay++;
        connection.Send(length);
    }
}
