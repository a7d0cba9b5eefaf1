namespace Orleans.Joblib;

/// <summary>Results in order, grown as batches end; its array becomes the user's without a copy when the sequence's length was known.</summary>
internal sealed class ResultList<T>(long? expected)
{
    private const int MostExpected = 1 << 26;
    private T[] _items = expected is > 0 and <= MostExpected ? new T[expected.Value] : [];
    private int _count;

    internal void Append(ReadOnlySpan<T> results)
    {
        var needed = (long)_count + results.Length;
        if (needed > _items.Length)
        {
            if (needed > Array.MaxLength)
            {
                throw new JoblibException("too-many-results", $"A run's array cannot hold more than {Array.MaxLength:N0} results. Use Stream instead of Run.");
            }

            Array.Resize(ref _items, (int)Math.Min(Array.MaxLength, Math.Max(needed, Math.Max(256, _items.Length * 2L))));
        }

        results.CopyTo(_items.AsSpan(_count));
        _count += results.Length;
    }

    internal T[] ToArray()
    {
        if (_count != _items.Length)
        {
            Array.Resize(ref _items, _count);
        }

        return _items;
    }
}
