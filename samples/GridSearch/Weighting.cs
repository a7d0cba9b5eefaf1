namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>What a neighbour's vote counts.</summary>
internal enum Weighting
{
    /// <summary>One.</summary>
    Uniform,

    /// <summary>One over its distance.</summary>
    Distance,
}
