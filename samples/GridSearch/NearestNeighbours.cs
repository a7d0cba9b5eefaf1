namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>k-nearest-neighbours with Euclidean distance.</summary>
internal sealed record NearestNeighbours(int NeighbourCount, Weighting Weighting) : Model
{
    public override string Name => "nearest neighbours";

    public override string Parameters => $"k={NeighbourCount} weights={(Weighting == Weighting.Uniform ? "uniform" : "distance")}";

    public override IClassifier Fit(Dataset training) => new NearestNeighboursClassifier(training, NeighbourCount, Weighting);
}
