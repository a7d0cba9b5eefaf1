using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>An array of .NET whose elements are the pages of a segment: not copied, read from the file when they are touched, and written to in this process alone.</summary>
/// <remarks>
/// <para>The array is an ordinary pinned one. The whole pages between its first and its last element are replaced by a private mapping of the file; its header, and the
/// bytes of pages that it shares with others, stay the collector's and are copied.</para>
/// <para>The collector may use the array's memory for something else only after it was put back: this object refers to the array, and is itself kept by nothing but
/// the array (a dependent handle). When the array is reachable from nowhere else, both are dead together; since this object has a finalizer the collector keeps both
/// until it has run, and it puts plain memory back. Only the next collection frees the array. An array that somebody else's finalizer brings back to life is zeros.</para>
/// </remarks>
internal sealed unsafe partial class MappedVector
{
    /// <summary>Larger than a region of the collector (32 MiB): such an array begins at a fixed place in its first page. Smaller ones have luck, and help (<see cref="Allocate"/>).</summary>
    internal const long LeastOfRegion = 33L << 20;

    /// <summary>A copy of less takes as long as the mapping.</summary>
    internal const long LeastBytes = 512L << 10;

    // What an object of the collector is, beside an array's elements: 8 bytes before its type, type, length.
    private const int ArrayHeadBytes = 24;

    private const int MostAttempts = 3;

    // Each takes two of the areas of memory that a process may have (65,530 by default).
    private const int MostVectors = 1024;

    private const int Readable = 1;
    private const int Writable = 2;
    private const int Private = 2;
    private const int Fixed = 0x10;
    private const int Anonymous = 0x20;
    private const int NoReserve = 0x4000;
    private const int DontNeed = 4;

    private static readonly Lock Placing = new();
    private static readonly ConditionalWeakTable<Array, MappedVector> Guards = [];
    private static int _count;

    private readonly Array _array;
    private readonly object? _pad;
    private readonly MappedFile _mapping;
    private readonly long _fileOffset;
    private readonly byte* _elements;
    private readonly long _bytes;
    private readonly byte* _pages;
    private readonly nint _pageBytes;
    private bool _isPutBack;
    private int _isTaken = 1;

    private MappedVector(Array array, object? pad, MappedFile mapping, long fileOffset, byte* elements, long bytes)
    {
        _array = array;
        _pad = pad;
        _mapping = mapping;
        _fileOffset = fileOffset;
        _elements = elements;
        _bytes = bytes;
        _pages = (byte*)(((nint)elements + SegmentHead.PageBytes - 1) & -SegmentHead.PageBytes);
        _pageBytes = (nint)(((nint)elements + (nint)bytes) & -SegmentHead.PageBytes) - (nint)_pages;
    }

    ~MappedVector() => PutBack();

    /// <summary>An array of one dimension with the elements that lie at a place of a segment; null where that cannot be, for a copy.</summary>
    internal static Array? TryMake(MappedFile mapping, long fileOffset, Type element, int length, long bytes)
    {
        if (bytes < LeastBytes || Environment.SystemPageSize != SegmentHead.PageBytes || mapping.Owner is not SegmentLock segment || Volatile.Read(ref _count) >= MostVectors)
        {
            return null;
        }

        var place = (nint)(fileOffset & (SegmentHead.PageBytes - 1));
        var (array, pad) = Allocate(element, length, bytes, place);
        if (array is null)
        {
            return null;
        }

        var elements = ElementsOf(array);
        var vector = new MappedVector(array, pad, mapping, fileOffset, elements, bytes);
        Interlocked.Increment(ref _count);
        Guards.Add(array, vector);
        var mapped = Map(vector._pages, vector._pageBytes, Readable | Writable, Private | Fixed, segment.File, fileOffset + (vector._pages - elements));
        if (mapped != vector._pages)
        {
            // The old pages may be gone: not without them.
            vector.PutBack();
            Guards.Remove(array);
            return null;
        }

        vector.CopyEnds();
        return array;
    }

    /// <summary>Takes an array that another run has done with. One that a run still has is that run's.</summary>
    internal static bool TryTake(Array array) => Guards.TryGetValue(array, out var vector) && Interlocked.CompareExchange(ref vector._isTaken, 1, 0) == 0;

    /// <summary>Says that a run has done with an array, and undoes what its calls have written to it.</summary>
    internal static void Release(Array array)
    {
        if (Guards.TryGetValue(array, out var vector))
        {
            // Now, not when the next run wants it: it takes 10 ms a GiB.
            vector.Restore();
            Volatile.Write(ref vector._isTaken, 0);
        }
    }

    internal static bool IsMapped(Array array) => Guards.TryGetValue(array, out _);

    /// <summary>A pinned array whose elements begin at a place in a page, and what has to stay with it; no array where the collector would not have it so.</summary>
    /// <remarks>
    /// Behind each array lies a pad, so that the next one begins at the same place in a page. They die together, and what is left of them serves as well. Where the collector
    /// puts them is looked at, not relied on: of arrays of one length 98 of 100 have their place by the third attempt, of random ones 70. Nobody touches a pad, or an array at the wrong
    /// place: they have no pages.
    /// </remarks>
    private static (Array? Array, object? Pad) Allocate(Type element, int length, long bytes, nint place)
    {
        if (bytes >= LeastOfRegion)
        {
            var array = NpyElement.NewPinnedVector(element, length);
            return (IsAt(place, ElementsOf(array)) ? array : null, null);
        }

        try
        {
            lock (Placing)
            {
                for (var attempt = 0; attempt < MostAttempts; attempt++)
                {
                    var array = NpyElement.NewPinnedVector(element, length);
                    var pad = PadBehind(array, bytes, place);
                    if (IsAt(place, ElementsOf(array)))
                    {
                        return (array, pad);
                    }
                }
            }
        }
        catch (OutOfMemoryException)
        {
            // The pads' fault: the collector counts them. There may be room for a copy.
        }

        return default;
    }

    private static byte[]? PadBehind(Array array, long bytes, nint place)
    {
        var next = (((nint)ElementsOf(array) + (nint)bytes + 7) & -8) + ArrayHeadBytes;
        var missing = (int)((place - next) & (SegmentHead.PageBytes - 1));
        if (missing == 0)
        {
            return null;
        }

        missing = missing < ArrayHeadBytes + 8 ? missing + SegmentHead.PageBytes : missing;
        var pad = NewPad(missing);

        // Else it is in what is left of another region: the larger one fits into none in which an array did not.
        return (nint)ElementsOf(pad) == next ? pad : NewPad(missing + (int)((bytes + SegmentHead.PageBytes - 1) & -SegmentHead.PageBytes));

        static byte[] NewPad(int bytes) => GC.AllocateUninitializedArray<byte>(bytes - ArrayHeadBytes, pinned: true);
    }

    private static bool IsAt(nint place, byte* elements) => ((nint)elements & (SegmentHead.PageBytes - 1)) == place;

    private static byte* ElementsOf(Array array) => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));

    private void Restore()
    {
        WrittenPages.ForEach((nint)_pages, _pageBytes, static (start, bytes) => _ = Advise((byte*)start, bytes, DontNeed));
        CopyEnds();
    }

    private void CopyEnds()
    {
        var from = _mapping.Start + _fileOffset;
        var head = _pages - _elements;
        var tail = _bytes - head - _pageBytes;
        Buffer.MemoryCopy(from, _elements, head, head);
        Buffer.MemoryCopy(from + _bytes - tail, _elements + _bytes - tail, tail, tail);
    }

    private void PutBack()
    {
        if (_isPutBack)
        {
            return;
        }

        _isPutBack = true;
        var plain = MapNothing(_pages, _pageBytes, Readable | Writable, Private | Fixed | Anonymous | NoReserve, -1, 0);
        if (plain != _pages)
        {
            // The collector would write into the file's pages, or to nowhere.
            Environment.FailFast("Memory of a shared array could not be given back to the garbage collector.");
        }

        Interlocked.Decrement(ref _count);
        GC.KeepAlive(_array);
        GC.KeepAlive(_pad);
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial byte* Map(byte* address, nint length, int protection, int flags, SafeFileHandle file, long offset);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial byte* MapNothing(byte* address, nint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(byte* address, nint length, int advice);
}
