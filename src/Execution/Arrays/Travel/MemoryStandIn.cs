namespace Orleans.Joblib;

/// <summary>A large array that is only seen through a <see cref="Memory{T}"/>: written as a memory-mapped array, which is what it is on the far side.</summary>
internal sealed class MemoryStandIn<T>(T[] array, bool isWritable)
{
    internal T[] Array => array;

    internal bool IsWritable => isWritable;
}
