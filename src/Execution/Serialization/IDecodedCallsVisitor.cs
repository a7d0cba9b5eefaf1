namespace Orleans.Joblib;

/// <summary>Does something with calls whatever they return.</summary>
internal interface IDecodedCallsVisitor<in TState, out TResult>
{
    TResult Visit<T>(DecodedCalls<T> calls, TState state);
}
