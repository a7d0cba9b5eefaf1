namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>A fitted model. One thread at a time: it keeps room for its intermediate values.</summary>
internal interface IClassifier
{
    /// <summary>The label of a row of features.</summary>
    int Predict(ReadOnlySpan<float> row);
}
