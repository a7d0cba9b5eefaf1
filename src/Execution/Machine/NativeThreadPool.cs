using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>A loaded native library that starts threads of its own, and the entry points that say how many.</summary>
/// <remarks>The libraries and names that threadpoolctl 3.6 knows, and whatever else has their names.</remarks>
internal sealed unsafe class NativeThreadPool
{
    private static readonly string[] OpenBlasPrefixes = ["openblas", "scipy_openblas"];

    // Those of the C interface alone: names that end with a single underscore take a pointer.
    private static readonly string[] OpenBlasSuffixes = ["", "64_", "_64"];

    private readonly delegate* unmanaged[Cdecl]<int, int> _set;
    private readonly delegate* unmanaged[Cdecl]<int> _get;

    private NativeThreadPool(string path, string kind, string variable, bool isPerThread, nint set, nint get)
    {
        Path = path;
        Kind = kind;
        IsPerThread = isPerThread;
        IsSetByUser = Environment.GetEnvironmentVariable(variable) is { Length: > 0 };
        _set = (delegate* unmanaged[Cdecl]<int, int>)set;
        _get = (delegate* unmanaged[Cdecl]<int>)get;
    }

    internal string Path { get; }

    internal string Kind { get; }

    /// <summary>Whether a number holds for the thread that sets it; else for the process.</summary>
    internal bool IsPerThread { get; }

    /// <summary>Whether the caller's own environment says how many threads: joblib's rule leaves it at that.</summary>
    internal bool IsSetByUser { get; }

    /// <summary>The threads that it would use now, for the calling thread.</summary>
    internal int Threads => _get();

    // Those that return nothing leave a register as it is: nobody looks at it.
    internal void Set(int threads) => _ = _set(threads);

    /// <summary>What in a library is such a pool; null for other libraries.</summary>
    internal static IEnumerable<NativeThreadPool> In(string path)
    {
        var name = System.IO.Path.GetFileName(path);
        if (!IsCandidate(name) || !NativeLibrary.TryLoad(path, out var library))
        {
            return [];
        }

        // The handle stays: a library that was unloaded must not be called.
        var pools = new List<NativeThreadPool>();
        foreach (var prefix in OpenBlasPrefixes)
        {
            foreach (var suffix in OpenBlasSuffixes)
            {
                Add(pools, path, library, "OpenBLAS", "OPENBLAS_NUM_THREADS", isPerThread: false, $"{prefix}_set_num_threads{suffix}", $"{prefix}_get_num_threads{suffix}");
            }
        }

        Add(pools, path, library, "MKL", "MKL_NUM_THREADS", isPerThread: true, "MKL_Set_Num_Threads_Local", "MKL_Get_Max_Threads");
        Add(pools, path, library, "BLIS", "BLIS_NUM_THREADS", isPerThread: false, "bli_thread_set_num_threads", "bli_thread_get_num_threads");
        if (IsOpenMp(name))
        {
            Add(pools, path, library, "OpenMP", "OMP_NUM_THREADS", isPerThread: true, "omp_set_num_threads", "omp_get_max_threads");
        }

        if (pools.Count == 0)
        {
            NativeLibrary.Free(library);
        }

        return pools;
    }

    private static void Add(List<NativeThreadPool> pools, string path, nint library, string kind, string variable, bool isPerThread, string set, string get)
    {
        if (NativeLibrary.TryGetExport(library, set, out var setter) && NativeLibrary.TryGetExport(library, get, out var getter))
        {
            pools.Add(new NativeThreadPool(path, kind, variable, isPerThread, setter, getter));
        }
    }

    private static bool IsCandidate(string name) =>
        name.Contains("blas", StringComparison.OrdinalIgnoreCase) || name.Contains("mkl", StringComparison.OrdinalIgnoreCase) || name.Contains("blis", StringComparison.OrdinalIgnoreCase)
        || IsOpenMp(name);

    // A library that is linked with one of these finds its entry points too, and is none.
    private static bool IsOpenMp(string name) =>
        name.StartsWith("libgomp", StringComparison.Ordinal) || name.StartsWith("libomp", StringComparison.Ordinal) || name.StartsWith("libiomp", StringComparison.Ordinal)
        || name.StartsWith("vcomp", StringComparison.OrdinalIgnoreCase);
}
