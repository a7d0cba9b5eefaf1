namespace Orleans.Joblib;

/// <summary>Where the large arrays of one batch go, and which they are: whoever sends the batch to another host sends them first. For one encoder at a time.</summary>
/// <remarks>Keep it as long as the batch is under way: its segments stay with it.</remarks>
internal sealed class BatchArrays(RunArrays run, long maxBytes) : IArraySink
{
    private readonly Dictionary<string, ArrayReference> _references = new(StringComparer.Ordinal);

    private readonly HashSet<HeldSegment> _held = [];

    /// <summary>The segments, and the user's own files, that the batch's payload refers to, each once.</summary>
    internal IReadOnlyCollection<ArrayReference> References => _references.Values;

    /// <summary>Bytes of arrays that no batch of the run referred to before.</summary>
    internal long NewBytes { get; private set; }

    public bool Takes(long bytes) => bytes > maxBytes;

    /// <summary>Says that the payload refers to a file that somebody else has written and holds.</summary>
    internal void Refer(ArrayReference reference) => _references.TryAdd(reference.Path, reference);

    public ArrayReference? Put(ArrayView array, bool isWritable)
    {
        var reference = run.Put(array, isWritable, out var held) ?? ArrayFiles.ReferenceTo((IMemmapped)array.Holder);
        if (held is not null && _held.Add(held))
        {
            NewBytes += held.NewBytes();
        }

        if (!_references.TryAdd(reference.Path, reference) && reference.Mode == MmapMode.ReadWrite)
        {
            // What the calls write to is what others have to know of.
            _references[reference.Path] = reference;
        }

        return reference;
    }
}
