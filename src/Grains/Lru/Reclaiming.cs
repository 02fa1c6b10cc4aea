namespace RpOrleans.Grains.Lru;

// Left to itself the garbage collector lets the large objects grow to several times what lives before it looks for those that do
// not: with a cache of gigabytes in it, that is for minutes, and beyond any limit. It has little to look at here, so it is asked to
// look more often: in the background, while everyone goes on.

/// <summary>Has the garbage collector take what was let go, before it is too much.</summary>
internal sealed class Reclaiming
{
    private const long LetGoAtMost = 32L * 1024 * 1024;
    private const int ShareLetGoAtMost = 32;

    private long _letGo;
    private int _collections = -1;

    /// <summary>Memory was let go.</summary>
    /// <param name="bytes">How much.</param>
    /// <param name="held">How much is still held.</param>
    public void LetGo(long bytes, long held)
    {
        if (GC.CollectionCount(GC.MaxGeneration) is var collections && collections != _collections)
        {
            (_letGo, _collections) = (0, collections);
        }

        _letGo += bytes;
        if (_letGo > Math.Max(LetGoAtMost, held / ShareLetGoAtMost))
        {
            _letGo = 0;
            // Elsewhere: whoever let go holds a lock.
            ThreadPool.UnsafeQueueUserWorkItem(static _ => GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false), null);
        }
    }
}
