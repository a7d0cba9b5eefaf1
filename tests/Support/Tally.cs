namespace Orleans.Joblib.Tests;

/// <summary>Counters for calls of every backend, in other processes too.</summary>
internal sealed class Tally(int count = 1) : SharedCells(count)
{
    internal int Value => this[0];

    internal int this[int index]
    {
        get => Volatile.Read(ref Cell(index));
        set => Volatile.Write(ref Cell(index), value);
    }

    /// <summary>Adds one and gives the sum.</summary>
    internal int Increment(int index = 0) => Interlocked.Increment(ref Cell(index));

    internal void Decrement(int index = 0) => Interlocked.Decrement(ref Cell(index));

    /// <summary>Raises a counter to a value, unless it is higher.</summary>
    internal void Raise(int index, int value)
    {
        ref var cell = ref Cell(index);
        for (var seen = Volatile.Read(ref cell); seen < value && Interlocked.CompareExchange(ref cell, value, seen) != seen; seen = Volatile.Read(ref cell))
        {
        }
    }
}
