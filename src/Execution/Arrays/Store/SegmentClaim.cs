using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>Says to other processes that an array is being written. Its file goes with it, and with a process that is killed, at the next sweep.</summary>
internal sealed class SegmentClaim(SafeFileHandle file, string path) : IDisposable
{
    public void Dispose()
    {
        // While it is locked: whoever opens it from now on makes another one.
        SegmentFile.Remove(path);
        file.Dispose();
    }
}
