namespace Orleans.Joblib;

/// <summary>Where a decoder finds the arrays that payloads refer to. Thread-safe.</summary>
internal interface IArraySource
{
    /// <summary>Maps an array.</summary>
    /// <exception cref="JoblibException">It is not there.</exception>
    MemmappedArray<T> Map<T>(ArrayReference reference)
        where T : unmanaged;

    /// <summary>An array of .NET with the same elements. Calls of this process may share it.</summary>
    /// <exception cref="JoblibException">It is not there.</exception>
    Array Load(ArrayReference reference, Type type);
}
