using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>Pages of a private mapping of a file that this process has written to, and which are its own since.</summary>
internal static unsafe partial class WrittenPages
{
    private const int PageBytes = SegmentHead.PageBytes;

    // linux/fs.h. The call is there since Linux 6.7; it looks at a GiB in a millisecond, where reading the entries one by one takes 13.
    private const nuint Scan = 0xC0606610;
    private const ulong IsFile = 1 << 2;
    private const ulong IsPresent = 1 << 3;
    private const ulong IsSwapped = 1 << 4;

    private static volatile bool _cannotScan;

    /// <summary>Does something with every stretch of them.</summary>
    internal static void ForEach(nint start, nint bytes, Action<nint, nint> action)
    {
        using var map = File.OpenHandle("/proc/self/pagemap", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        if (_cannotScan || !TryScan(map, start, bytes, action))
        {
            Read(map, start, bytes, action);
        }
    }

    /// <summary>By the entries: a page that is there (bit 63) or swapped out (62), and no page of a file (61).</summary>
    internal static void Read(SafeFileHandle map, nint start, nint bytes, Action<nint, nint> action)
    {
        var entries = new ulong[8192];
        var pages = bytes / PageBytes;
        for (nint done = 0; done < pages;)
        {
            var part = entries.AsSpan(0, (int)Math.Min(entries.Length, pages - done));
            var read = RandomAccess.Read(map, MemoryMarshal.AsBytes(part), (long)((start / PageBytes) + done) * sizeof(ulong)) / sizeof(ulong);
            if (read == 0)
            {
                // Nothing is known of the rest.
                action(start + (done * PageBytes), (pages - done) * PageBytes);
                return;
            }

            for (var i = 0; i < read; i++)
            {
                if (part[i] >> 62 != 0 && (part[i] >> 61 & 1) == 0)
                {
                    action(start + ((done + i) * PageBytes), PageBytes);
                }
            }

            done += read;
        }
    }

    private static bool TryScan(SafeFileHandle map, nint start, nint bytes, Action<nint, nint> action)
    {
        const int Stretches = 256;
        var found = stackalloc Stretch[Stretches];
        var end = (ulong)(start + bytes);
        for (var from = (ulong)start; from < end;)
        {
            var request = new Request
            {
                Size = (ulong)sizeof(Request),
                Start = from,
                End = end,
                Found = (ulong)found,
                MostFound = Stretches,
                Inverted = IsFile,
                All = IsFile,
                Any = IsPresent | IsSwapped,
                Wanted = IsPresent,
            };
            var count = Control(map, Scan, &request);
            if (count < 0)
            {
                _cannotScan = true;
                return false;
            }

            for (var i = 0; i < count; i++)
            {
                action((nint)found[i].Start, (nint)(found[i].End - found[i].Start));
            }

            if (request.Reached <= from)
            {
                return false;
            }

            from = request.Reached;
        }

        return true;
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(SafeFileHandle file, nuint request, Request* argument);

    // struct pm_scan_arg.
    private struct Request
    {
        public ulong Size;
        public ulong Flags;
        public ulong Start;
        public ulong End;
        public ulong Reached;
        public ulong Found;
        public ulong MostFound;
        public ulong MostPages;
        public ulong Inverted;
        public ulong All;
        public ulong Any;
        public ulong Wanted;
    }

    // struct page_region.
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Stretch(ulong Start, ulong End, ulong Categories);
}
