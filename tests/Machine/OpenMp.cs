using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Orleans.Joblib.Tests.Machine;

/// <summary>The system's OpenMP library as compiled code uses it: parallel regions on its own native threads. GCC's, which most Linux machines have.</summary>
internal static unsafe class OpenMp
{
    internal const string Absent = "There is no libgomp.so.1 (Debian: libgomp1).";

    internal static bool IsThere => NativeLibrary.TryLoad("libgomp.so.1", out _);

    /// <summary>Runs a parallel region with the team that the library gives it.</summary>
    internal static void Run(Action body)
    {
        var handle = GCHandle.Alloc(body);
        try
        {
            Parallel(&Body, (void*)GCHandle.ToIntPtr(handle), 0, 0);
        }
        finally
        {
            handle.Free();
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Body(void* body) => ((Action)GCHandle.FromIntPtr((nint)body).Target!)();

    [DllImport("libgomp.so.1", EntryPoint = "GOMP_parallel")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void Parallel(delegate* unmanaged[Cdecl]<void*, void> body, void* data, uint threads, uint flags);
}
