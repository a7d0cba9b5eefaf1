using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>An array's file that this process wrote or found, and holds. Its state belongs to the store's lock.</summary>
internal sealed class Segment(StoreFolder folder, SegmentName name, SafeFileHandle file, long length, int dataOffset, bool isWriter)
{
    internal StoreFolder Folder => folder;

    internal SegmentName Name => name;

    internal string Path { get; } = folder.PathOf(name);

    internal SafeFileHandle File => file;

    internal long Length => length;

    internal int DataOffset => dataOffset;

    /// <summary>Whether this process keeps it for later uses.</summary>
    internal bool IsWriter => isWriter;

    internal int Leases { get; set; }

    /// <summary>Since when nobody has used it, in <see cref="Environment.TickCount64"/>.</summary>
    internal long IdleSince { get; set; }
}
