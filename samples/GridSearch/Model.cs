namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>One point of the grid: a kind of model with its parameters, not yet fitted.</summary>
internal abstract record Model
{
    public abstract string Name { get; }

    public abstract string Parameters { get; }

    public abstract IClassifier Fit(Dataset training);

    public sealed override string ToString() => $"{Name} {Parameters}";
}
