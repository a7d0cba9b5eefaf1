namespace Orleans.Joblib;

/// <summary>The calls of a batch that arrived, of whatever type they return.</summary>
internal abstract class DecodedCalls
{
    internal abstract int Count { get; }

    /// <summary>Writes their results and failures, with the code set's types and the user's serializers.</summary>
    internal PayloadEncoder ResultEncoder { get; set; } = null!;

    /// <summary>Shows the calls to someone who takes any type.</summary>
    internal abstract TResult Accept<TState, TResult>(IDecodedCallsVisitor<TState, TResult> visitor, TState state);
}
