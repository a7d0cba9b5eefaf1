namespace Orleans.Joblib;

/// <summary>How a memory-mapped array may be used. joblib 1.6: <c>mmap_mode</c>.</summary>
public enum MmapMode
{
    /// <summary>Read only. joblib: <c>"r"</c>, the default.</summary>
    ReadOnly = 0,

    /// <summary>Read and write; writes reach the file. joblib: <c>"r+"</c>.</summary>
    ReadWrite = 1,

    /// <summary>Create or overwrite; workers see it as <see cref="ReadWrite"/>. joblib: <c>"w+"</c>.</summary>
    Create = 2,

    /// <summary>Read and write; writes stay in memory. joblib: <c>"c"</c>.</summary>
    CopyOnWrite = 3,
}
