using System.Collections.Concurrent;
using System.IO.MemoryMappedFiles;

namespace Orleans.Joblib.Tests;

/// <summary>Numbers that this process and its worker processes see alike: a mapped file. Travels with calls as its path.</summary>
internal abstract unsafe class SharedCells : IDisposable
{
    // Mapped once a process and never unmapped: a call that a test has given up may still look.
    private static readonly ConcurrentDictionary<string, nint> Mapped = new();

    private readonly string _path;

    protected SharedCells(int count)
    {
        _path = Path.GetTempFileName();
        using var file = File.OpenWrite(_path);
        file.SetLength(count * sizeof(int));
    }

    protected ref int Cell(int index) => ref ((int*)Mapped.GetOrAdd(_path, static path =>
    {
        var view = MemoryMappedFile.CreateFromFile(path, FileMode.Open).CreateViewAccessor();
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        return (nint)(start + view.PointerOffset);
    }))[index];

    public void Dispose()
    {
        _ = Cell(0);
        File.Delete(_path);
    }
}
