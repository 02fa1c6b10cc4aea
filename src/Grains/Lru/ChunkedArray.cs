namespace RpOrleans.Grains.Lru;

/// <summary>An array that grows and shrinks by chunks: what lies in it is never copied, however large it becomes.</summary>
/// <typeparam name="T">What lies in it.</typeparam>
/// <param name="chunkBits">A chunk has two to the power of this many elements.</param>
internal sealed class ChunkedArray<T>(int chunkBits)
    where T : struct
{
    private readonly int _inChunk = (1 << chunkBits) - 1;
    private T[]?[] _chunks = [];
    private int _count;

    /// <summary>How many elements there are.</summary>
    public int Length => _count << chunkBits;

    /// <summary>An element. Valid until the chunk that it lies in is let go.</summary>
    public ref T this[int index] => ref _chunks[index >> chunkBits]![index & _inChunk];

    /// <summary>Grows by chunks, of zeros, until there is an element of this index.</summary>
    public void GrowTo(int index)
    {
        while (index >= Length)
        {
            if (_count == _chunks.Length)
            {
                Array.Resize(ref _chunks, Math.Max(4, 2 * _count)); // a reference for each chunk
            }

            _chunks[_count++] = GC.AllocateArray<T>(1 << chunkBits, pinned: true); // where the collector never copies it
        }
    }

    /// <summary>Lets go of the chunks beyond the one with this index.</summary>
    public void ShrinkTo(int index)
    {
        while (_count > (index >> chunkBits) + 1)
        {
            _chunks[--_count] = null;
        }
    }
}
