namespace RpOrleans.Coherence;

/// <summary>The newest version of each key that is known to have been there: no read that begins afterwards may bring an older one.</summary>
internal sealed class NewestVersions(int keys)
{
    private readonly int[] _newest = new int[keys];

    /// <summary>What a read that begins now must bring at least.</summary>
    public int Floor(int key) => Volatile.Read(ref _newest[key]);

    /// <summary>A version is known.</summary>
    public void Raise(int key, int version)
    {
        while (Volatile.Read(ref _newest[key]) is var newest && newest < version && Interlocked.CompareExchange(ref _newest[key], version, newest) != newest)
        {
        }
    }

    /// <summary>Judges what a read brought that had to bring at least so much.</summary>
    public static void Judge(int floor, int version)
    {
        if (version < floor)
        {
            throw new WrongAnswerException($"A read brought version {version} though version {floor} was known before it began.");
        }
    }
}
