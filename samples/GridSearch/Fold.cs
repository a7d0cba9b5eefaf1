namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>One split of the rows.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Train">The rows to fit.</param>
/// <param name="Test">The rows to score; no row is in both.</param>
internal sealed record Fold(int Number, int[] Train, int[] Test)
{
    /// <summary>Shuffles the rows once and makes each share of them the test rows of one fold.</summary>
    public static Fold[] Shuffled(int rowCount, int foldCount, int seed)
    {
        var rows = Enumerable.Range(0, rowCount).ToArray();
        new Random(seed).Shuffle(rows);
        return [.. Enumerable.Range(0, foldCount).Select(i =>
        {
            var start = i * rowCount / foldCount;
            var end = (i + 1) * rowCount / foldCount;
            return new Fold(i + 1, [.. rows[..start], .. rows[end..]], rows[start..end]);
        })];
    }

    public override string ToString() => $"fold {Number}";
}
