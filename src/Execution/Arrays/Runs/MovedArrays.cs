namespace Orleans.Joblib;

/// <summary>Finds arrays that were brought here from another host, under the names that they have there.</summary>
/// <param name="source">Where this host's are found.</param>
/// <param name="paths">This host's file for each of the other's.</param>
internal sealed class MovedArrays(IArraySource source, IReadOnlyDictionary<string, string> paths) : IArraySource
{
    public MemmappedArray<T> Map<T>(ArrayReference reference)
        where T : unmanaged => source.Map<T>(Here(reference));

    public Array Load(ArrayReference reference, Type type) => source.Load(Here(reference), type);

    // What was in a file of the user's there is in a segment here: written to it would reach nobody.
    private ArrayReference Here(ArrayReference reference) => paths.TryGetValue(reference.Path, out var path)
        ? reference with { Place = ArrayPlace.Segment, Path = path, Mode = reference.Mode == MmapMode.ReadWrite ? MmapMode.CopyOnWrite : reference.Mode }
        : reference;
}
