namespace Orleans.Joblib;

/// <summary>A memory-mapped array, whatever its elements are.</summary>
internal unsafe interface IMemmapped
{
    Type ElementType { get; }

    ArrayLayout Layout { get; }

    /// <summary>The first element; null where there is none.</summary>
    byte* Origin { get; }

    /// <exception cref="ObjectDisposedException">The array has been disposed.</exception>
    MappedFile Mapping { get; }

    /// <summary>The elements as an array of .NET of one dimension.</summary>
    Array Copy();
}
