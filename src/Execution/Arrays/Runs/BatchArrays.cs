namespace Orleans.Joblib;

/// <summary>Where the large arrays of one batch go, and which they are: whoever sends the batch to another host sends them first. For one encoder at a time.</summary>
internal sealed class BatchArrays(RunArrays run, long maxBytes) : IArraySink
{
    private readonly Dictionary<string, ArrayReference> _references = new(StringComparer.Ordinal);

    /// <summary>The segments that the batch's payload refers to, each once.</summary>
    internal IReadOnlyCollection<ArrayReference> References => _references.Values;

    public bool Takes(long bytes) => bytes > maxBytes;

    public ArrayReference? Put(ArrayView array, bool isWritable)
    {
        var reference = run.Put(array, isWritable);
        if (reference is not null)
        {
            _references.TryAdd(reference.Path, reference);
        }

        return reference;
    }
}
