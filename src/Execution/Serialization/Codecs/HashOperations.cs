namespace Orleans.Joblib;

/// <summary>How a kind of hash table is read and filled.</summary>
internal sealed record HashOperations<TTable, TItem>(Func<TTable, object?> Comparer, Type ComparerType, Func<TTable, TItem[]> Items, Func<TTable, TItem, bool> Add);
