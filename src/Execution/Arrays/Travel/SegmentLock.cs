using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>The lock that a mapping has on its segment: it ends when nothing refers to the mapping any more.</summary>
internal sealed class SegmentLock(SafeFileHandle file)
{
    internal SafeFileHandle File => file;
}
