using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>The native libraries that are loaded in this process.</summary>
internal static unsafe partial class LoadedLibraries
{

    /// <summary>How much time to leave between two looks: a look costs a tenth of a microsecond on Linux and macOS, milliseconds elsewhere.</summary>
    internal static TimeSpan LookPeriod { get; } = OperatingSystem.IsLinux() || OperatingSystem.IsMacOS() ? TimeSpan.FromMilliseconds(1) : TimeSpan.FromSeconds(1);

    /// <summary>A number that changes when a library is loaded; always another where the system does not say.</summary>
    internal static long Version()
    {
        if (OperatingSystem.IsLinux())
        {
            ulong adds = 0;
            _ = IteratePrograms(&TakeAdds, &adds);
            return (long)adds;
        }

        return OperatingSystem.IsMacOS() ? ImageCount() : Stopwatch.GetTimestamp();
    }

    /// <summary>Their paths.</summary>
    internal static IReadOnlyList<string> Paths()
    {
        var paths = new List<string>();
        if (OperatingSystem.IsLinux())
        {
            var handle = GCHandle.Alloc(paths);
            try
            {
                _ = IteratePrograms(&TakeName, (void*)GCHandle.ToIntPtr(handle));
            }
            finally
            {
                handle.Free();
            }
        }
        else if (OperatingSystem.IsMacOS())
        {
            for (var i = 0u; i < ImageCount(); i++)
            {
                if (Marshal.PtrToStringUTF8(ImageName(i)) is { Length: > 0 } path)
                {
                    paths.Add(path);
                }
            }
        }
        else
        {
            using var process = Process.GetCurrentProcess();
            paths.AddRange(process.Modules.Cast<ProcessModule>().Select(module => module.FileName));
        }

        return paths;
    }

    // The counter is the same in every entry: the first will do.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int TakeAdds(ProgramHeaders* headers, nuint size, void* adds)
    {
        *(ulong*)adds = headers->Adds;
        return 1;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int TakeName(ProgramHeaders* headers, nuint size, void* paths)
    {
        if (Marshal.PtrToStringUTF8(headers->Name) is { Length: > 0 } path)
        {
            ((List<string>)GCHandle.FromIntPtr((nint)paths).Target!).Add(path);
        }

        return 0;
    }

    [LibraryImport("libc", EntryPoint = "dl_iterate_phdr")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int IteratePrograms(delegate* unmanaged[Cdecl]<ProgramHeaders*, nuint, void*, int> callback, void* data);

    [LibraryImport("libSystem", EntryPoint = "_dyld_image_count")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint ImageCount();

    [LibraryImport("libSystem", EntryPoint = "_dyld_get_image_name")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint ImageName(uint index);

    /// <summary><c>dl_phdr_info</c>, of 64-bit systems.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ProgramHeaders
    {
        internal nint Address;
        internal nint Name;
        internal nint Headers;
        internal ushort Count;
        internal ulong Adds;
    }
}
