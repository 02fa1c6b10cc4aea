namespace RpOrleans.Gateway.Resp.Commands;

/// <summary>A command, or a subcommand, as the server's <c>COMMAND</c> describes it.</summary>
internal sealed class Command
{
    /// <summary>Its name, and that of its container before it: <c>config|get</c>.</summary>
    public required string Name { get; init; }

    /// <summary>How many words it takes, its name included; below zero, at least so many.</summary>
    public required int Arity { get; init; }

    /// <summary>Whether it changes keys.</summary>
    public required bool Writes { get; init; }

    /// <summary>Whether the server says that it only reads. <c>PFCOUNT</c> does, though it may write down what it found; and so may not be <see cref="Writes"/>'s opposite.</summary>
    public bool ReadsOnly { get; init; }

    /// <summary>Whether it runs scripts, or keeps them: what those do is not said by its arguments.</summary>
    public bool Scripts { get; init; }

    /// <summary>Whether it may wait for something that others do.</summary>
    public required bool Blocks { get; init; }

    /// <summary>Whether the server marks it as for administrators, or as dangerous.</summary>
    public required bool Dangerous { get; init; }

    /// <summary>Whether Redis answers it at once and keeps no state for who sends it, so that many clients' may go over one connection.</summary>
    public required bool Short { get; init; }

    /// <summary>Where its keys stand.</summary>
    public required IReadOnlyList<KeySpec> Keys { get; init; }

    /// <summary>Whether other arguments than <see cref="Keys"/> says may be keys.</summary>
    public required bool KeysIncomplete { get; init; }

    /// <summary>Those by their second word.</summary>
    public required NameTable<Command> Subcommands { get; init; }

    /// <summary>Whether a request has as many words as it takes.</summary>
    public bool Fits(int words) => Arity >= 0 ? words == Arity : words >= -Arity;

    /// <summary>Whether Redis takes a request for well-formed: with a subcommand that there is, and as many words as that takes.</summary>
    public bool Takes(in Request request) => Of(request) is var exact && exact.Fits(request.Count) && (exact != this || request.Count == 1 || !Subcommands.Items.Any());

    /// <summary>What the second word makes of it.</summary>
    public Command Of(in Request request) => request.Count > 1 && Subcommands.Find(request[1]) is { } subcommand ? subcommand : this;
}
