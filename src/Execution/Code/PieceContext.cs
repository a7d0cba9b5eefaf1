using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace Orleans.Joblib;

/// <summary>A load context for code that was sent: native libraries that need each other lie side by side.</summary>
internal abstract class PieceContext(string name, bool isCollectible) : AssemblyLoadContext(name, isCollectible)
{
    /// <summary>Loads a native library.</summary>
    /// <param name="path">Its file.</param>
    /// <param name="others">The files that came with it.</param>
    /// <exception cref="DllNotFoundException">It cannot be loaded.</exception>
    private protected nint LoadNative(string path, IEnumerable<string> others)
    {
        try
        {
            return LoadUnmanagedDllFromPath(path);
        }
        catch (DllNotFoundException)
        {
            // It may need another of them and not say where: once that is loaded, the system finds it by its name.
            foreach (var other in others.Where(other => other != path))
            {
                NativeLibrary.TryLoad(other, out _);
            }

            return LoadUnmanagedDllFromPath(path);
        }
    }
}
