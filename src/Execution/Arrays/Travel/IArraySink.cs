namespace Orleans.Joblib;

/// <summary>Where an encoder puts large arrays instead of into its payload. Thread-safe.</summary>
internal interface IArraySink
{
    /// <summary>Whether an array of so many bytes goes there.</summary>
    bool Takes(long bytes);

    /// <summary>Puts an array there, unless it is there already.</summary>
    /// <param name="array">.NET's or a memory-mapped one.</param>
    /// <param name="isWritable">Whether the far side may write to what it gets, without that being seen elsewhere.</param>
    /// <returns>Where it is; null for a memory-mapped array whose own file will do.</returns>
    /// <exception cref="JoblibException">There is no room for it.</exception>
    ArrayReference? Put(ArrayView array, bool isWritable);
}
