using System.Buffers;

namespace Orleans.Joblib;

/// <summary>A part of a mapping as <see cref="Memory{T}"/>: it keeps the mapping while anybody has the memory.</summary>
internal sealed unsafe class MappedMemory<T>(MappedFile file, T* start, int length) : MemoryManager<T>
    where T : unmanaged
{
    internal MappedFile File => file;

    internal T* Start => start;

    internal int Length => length;

    public override Span<T> GetSpan() => new(start, length);

    // Nothing moves. The handle refers to this object, which refers to the mapping.
    public override MemoryHandle Pin(int elementIndex = 0) => (uint)elementIndex > (uint)length
        ? throw new ArgumentOutOfRangeException(nameof(elementIndex))
        : new MemoryHandle(start + elementIndex, pinnable: this);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
