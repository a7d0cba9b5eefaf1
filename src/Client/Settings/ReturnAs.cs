namespace Orleans.Joblib;

/// <summary>The order of a stream's results. joblib 1.6: <c>return_as</c> (its <c>"list"</c> is <c>Run</c>).</summary>
public enum ReturnAs
{
    /// <summary>The order of submission. joblib: <c>"generator"</c>.</summary>
    Generator = 0,

    /// <summary>The order of completion; calls of one batch stay together. joblib: <c>"generator_unordered"</c>.</summary>
    GeneratorUnordered = 1,
}
