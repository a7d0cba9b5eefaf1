namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>A model with its scores, one per fold.</summary>
internal sealed record Candidate(Model Model, Score[] Scores)
{
    public double MeanAccuracy => Scores.Average(score => score.Accuracy);

    /// <summary>Over the folds, as the whole population: what scikit-learn prints as std_test_score.</summary>
    public double AccuracyDeviation => Math.Sqrt(Scores.Average(score => (score.Accuracy - MeanAccuracy) * (score.Accuracy - MeanAccuracy)));

    public TimeSpan MeanDuration => TimeSpan.FromTicks((long)Scores.Average(score => score.Duration.Ticks));
}
