namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>The models to compare: 68 parameter sets.</summary>
internal static class Grid
{
    private const int MostNeighbours = 24;
    private const int PenaltyCount = 20;
    private const double SmallestPenalty = 1e-3;
    private const double LargestPenalty = 10;

    public static Model[] Models() => [.. Neighbours(), .. Regressions()];

    private static IEnumerable<Model> Neighbours() =>
        from k in Enumerable.Range(1, MostNeighbours)
        from weighting in Enum.GetValues<Weighting>()
        select new NearestNeighbours(k, weighting);

    private static IEnumerable<Model> Regressions() =>
        from i in Enumerable.Range(0, PenaltyCount)
        select new LogisticRegression(SmallestPenalty * Math.Pow(LargestPenalty / SmallestPenalty, i / (PenaltyCount - 1.0)));
}
