namespace Orleans.Joblib;

/// <summary>The calls of a batch that arrived.</summary>
internal sealed class DecodedCalls<T>(Delayed<T>[] calls) : DecodedCalls
{
    internal Delayed<T>[] Calls => calls;

    internal override int Count => calls.Length;

    internal override TResult Accept<TState, TResult>(IDecodedCallsVisitor<TState, TResult> visitor, TState state) => visitor.Visit(this, state);
}
