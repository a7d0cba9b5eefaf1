namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>Labelled rows: plain arrays, so that a call that takes one can travel.</summary>
/// <param name="Features">Shape [rows, <paramref name="FeatureCount"/>], row-major.</param>
/// <param name="FeatureCount">Columns; a multiple of <see cref="Vectors.Lanes"/>.</param>
/// <param name="Labels">One per row, 0 to <paramref name="ClassCount"/> − 1.</param>
/// <param name="ClassCount">How many labels there are.</param>
internal sealed record Dataset(float[] Features, int FeatureCount, int[] Labels, int ClassCount)
{
    public int Count => Labels.Length;

    public ReadOnlySpan<float> Row(int row) => Features.AsSpan(row * FeatureCount, FeatureCount);

    /// <summary>A copy of some rows, in the order given: models read their training rows front to back.</summary>
    public Dataset Take(int[] rows)
    {
        var features = new float[rows.Length * FeatureCount];
        var labels = new int[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            Row(rows[i]).CopyTo(features.AsSpan(i * FeatureCount));
            labels[i] = Labels[rows[i]];
        }

        return new Dataset(features, FeatureCount, labels, ClassCount);
    }

    // What an error message shows of a call's arguments: never the arrays.
    public override string ToString() => $"{Count} x {FeatureCount}";
}
