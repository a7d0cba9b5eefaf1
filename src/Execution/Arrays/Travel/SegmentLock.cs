using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>The lock that a mapping has on its segment: it ends when nothing refers to the mapping any more. The last on the host deletes the file.</summary>
internal sealed class SegmentLock
{
    private static readonly ConcurrentDictionary<long, WeakReference<SegmentLock>> Live = new();
    private static long _lastId;

    private readonly long _id = Interlocked.Increment(ref _lastId);
    private readonly string _path;

    internal SegmentLock(SafeFileHandle file, string path)
    {
        File = file;
        _path = path;
        Live[_id] = new WeakReference<SegmentLock>(this);
    }

    ~SegmentLock() => Release();

    internal SafeFileHandle File { get; }

    /// <summary>The process is about to end: calls may still read what they have mapped, but nobody is to wait for them.</summary>
    internal static void ReleaseAll()
    {
        foreach (var reference in Live.Values)
        {
            if (reference.TryGetTarget(out var held))
            {
                held.Release();
            }
        }
    }

    private void Release()
    {
        if (!Live.TryRemove(_id, out _))
        {
            return;
        }

        // Closing would not do: the mapping keeps the file open until the collector unmaps it.
        SegmentFile.Release(File);
        File.Dispose();
        ArrayStore.DeleteIfUnused(_path);
    }
}
