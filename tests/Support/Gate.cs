namespace Orleans.Joblib.Tests;

/// <summary>A signal for calls of every backend, in other processes too: wait with <see cref="Patience"/>.</summary>
internal sealed class Gate() : SharedCells(1)
{
    internal bool IsSet => Volatile.Read(ref Cell(0)) != 0;

    internal void Set() => Volatile.Write(ref Cell(0), 1);
}
