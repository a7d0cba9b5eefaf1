using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>The lock that a mapping has on its segment: it ends when nothing refers to the mapping any more. The last on the host deletes the file.</summary>
internal sealed class SegmentLock(SafeFileHandle file, string path)
{
    ~SegmentLock() => Release();

    internal SafeFileHandle File => file;

    internal void Release()
    {
        file.Dispose();
        ArrayStore.DeleteIfUnused(path);
    }
}
