namespace Orleans.Joblib;

/// <summary>Takes large arrays of results out of the store. Each is the caller's own afterwards: written to it reaches nobody, and nothing of it stays in the store. Thread-safe.</summary>
internal sealed class ResultSource(ArraySettings settings) : IArraySource
{
    public MemmappedArray<T> Map<T>(ArrayReference reference)
        where T : unmanaged
    {
        if (reference.Place != ArrayPlace.Segment)
        {
            return ArrayFiles.Instance.Map<T>(reference);
        }

        // Without a name it is nobody else's, and sent on it is an array in memory.
        var file = ArrayFiles.OpenSegment(reference.Path, settings);
        var mapping = MappedFile.Map(file, null, RandomAccess.GetLength(file), MmapMode.CopyOnWrite, new SegmentLock(file, reference.Path));
        var array = ArrayFiles.View<T>(mapping, reference);
        File.Delete(reference.Path);
        return array;
    }

    public Array Load(ArrayReference reference, Type type) => reference.Place == ArrayPlace.Segment
        ? SharedArrays.Take(ArrayFiles.OpenSegment(reference.Path, settings), reference, type)
        : throw PayloadReader.Malformed("it refers to an array that is elsewhere");
}
