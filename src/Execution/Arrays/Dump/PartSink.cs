namespace Orleans.Joblib;

/// <summary>Takes the large arrays out of a value that is dumped. One thread.</summary>
internal sealed class PartSink(long leastBytes) : IArraySink
{
    private readonly Dictionary<object, int> _numbers = new(ReferenceEqualityComparer.Instance);

    internal List<ArrayView> Arrays { get; } = [];

    public bool Takes(long bytes) => bytes >= leastBytes;

    public ArrayReference? Put(ArrayView array, bool isWritable)
    {
        if (!_numbers.TryGetValue(array.Holder, out var number))
        {
            _numbers[array.Holder] = number = Arrays.Count;
            Arrays.Add(array);
        }

        var layout = ArrayLayout.Of(array.Layout.Lengths, array.Layout.Order, array.ElementBytes);
        return new ArrayReference(
            ArrayPlace.Part, "", number, isWritable ? MmapMode.CopyOnWrite : MmapMode.ReadOnly, layout.Lengths.ToArray(), layout.Strides.ToArray());
    }
}
