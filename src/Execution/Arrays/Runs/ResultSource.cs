using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>Takes large arrays of results out of the store. Each is the caller's own afterwards: written to it reaches nobody, and nothing of it stays in the store. Thread-safe.</summary>
internal sealed class ResultSource(ArraySettings settings) : IArraySource
{
    private long _takenBytes;

    /// <summary>Bytes of all that was taken.</summary>
    internal long TakenBytes => Volatile.Read(ref _takenBytes);

    public MemmappedArray<T> Map<T>(ArrayReference reference)
        where T : unmanaged
    {
        if (reference.Place != ArrayPlace.Segment)
        {
            return ArrayFiles.Instance.Map<T>(reference);
        }

        // Without a name it is nobody else's, and sent on it is an array in memory.
        var file = Open(reference);
        var mapping = MappedFile.Map(file, null, RandomAccess.GetLength(file), MmapMode.CopyOnWrite, new SegmentLock(file, reference.Path));
        var array = ArrayFiles.View<T>(mapping, reference);
        SegmentFile.Remove(reference.Path);
        return array;
    }

    public Array Load(ArrayReference reference, Type type) => reference.Place == ArrayPlace.Segment
        ? SharedArrays.Take(Open(reference), reference, type)
        : throw PayloadReader.Malformed("it refers to an array that is elsewhere");

    private SafeFileHandle Open(ArrayReference reference)
    {
        var file = ArrayFiles.OpenSegment(reference.Path, settings);
        Interlocked.Add(ref _takenBytes, RandomAccess.GetLength(file));
        return file;
    }
}
