using System.Globalization;
using RpOrleans.Load;

// Puts a server that answers keys over HTTP under load, and compares every answer. Ends with 0 when every answer was right, 1 when one was
// wrong or failed, 2 when it was told something that it does not understand.
//
//   run    asks for keys, in a closed loop or at a fixed rate, and prints what it measured as one line of JSON
//   check  asks for every key once
//   fill   writes every key into a Redis
//   first  waits for the first right answer, and prints when it came, in milliseconds since 1970

if (args.Length == 0 || args[0] is not ("run" or "check" or "fill" or "first"))
{
    Console.Error.WriteLine("load: one of run, check, fill, first is needed");
    return 2;
}

Options options;
try
{
    options = Options.Parse(args.AsSpan(1));
}
catch (FormatException wrong)
{
    Console.Error.WriteLine($"load: {wrong.Message}");
    return 2;
}

try
{
    switch (args[0])
    {
        case "run":
            Console.WriteLine(Run.Measure(options).ToJson());
            break;
        case "check":
            Run.Check(options);
            break;
        case "fill":
            RedisFill.Fill(options);
            break;
        default:
            Console.WriteLine(FirstAnswer.Await(options).ToString("0.000", CultureInfo.InvariantCulture));
            break;
    }

    return 0;
}
catch (WrongAnswerException wrong)
{
    Console.Error.WriteLine($"load: WRONG: {wrong.Message}");
    return 1;
}
