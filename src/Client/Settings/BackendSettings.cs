namespace Orleans.Joblib;

/// <summary>What a backend is configured with.</summary>
/// <remarks>Immutable. joblib 1.6: the keyword arguments of <c>ParallelBackendBase.configure</c>.</remarks>
public sealed record BackendSettings
{
    internal BackendSettings()
    {
    }

    /// <summary>Jobs asked for: 1 or more, or negative for all but (−1 − n) of them.</summary>
    public int NJobs { get; init; } = 1;

    /// <summary>How much the backend itself prints: what <c>verbose</c> exceeds 50 by, else 0.</summary>
    public int Verbose { get; init; }

    /// <summary>Folder for memory-mapped arrays; null for the backend's choice.</summary>
    public string? TempFolder { get; init; }

    /// <summary>The size above which arrays are shared.</summary>
    public MaxNbytes MaxNbytes { get; init; }

    /// <summary>How workers see shared arrays.</summary>
    public MmapMode MmapMode { get; init; }

    /// <summary>The caller's hint, if any.</summary>
    public Prefer? Prefer { get; init; }

    /// <summary>The caller's constraint, if any.</summary>
    public Require? Require { get; init; }

    /// <summary>Threads that a library inside a call may start; null for cores ÷ jobs. Set only for a backend that supports it.</summary>
    public int? InnerMaxNumThreads { get; init; }

    /// <summary>The backend's own options, if any.</summary>
    public BackendOptions? Options { get; init; }

    /// <summary>Whether a call may be given up because it overran its timeout.</summary>
    public bool HasTimeout { get; init; }

    /// <summary>What a run that begins now says of its large arrays.</summary>
    internal ArraySettings ArraysOfRun() => ArraySettings.Of(MaxNbytes.Bytes, MmapMode, TempFolder);

    /// <summary>Refuses a folder for arrays that cannot be used, before any work starts.</summary>
    /// <exception cref="JoblibException">It cannot be used.</exception>
    internal void CheckTempFolder()
    {
        if (TempFolder is not null && MaxNbytes.Bytes is not null && ArrayStore.IsSupported)
        {
            ArrayStores.Of(new ArrayStoreOptions { TempFolder = TempFolder }.Parents());
        }
    }
}
