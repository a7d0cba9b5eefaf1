namespace Orleans.Joblib;

/// <summary>Calls whose failures are their values, around calls of another shape.</summary>
internal sealed class OutcomeShape<T> : CallShape<CallOutcome<T>>
{
    private readonly CallShape<T> _inner;

    internal OutcomeShape(OutcomeCall<T> call, GraphWriter writer) => _inner = CallShape<T>.Of(call.Inner, writer);

    internal OutcomeShape(CallShape<T> inner) => _inner = inner;

    internal override int Memory => 48 + _inner.Memory;

    internal override void Describe(PayloadWriter writer, ICodeReferences code)
    {
        writer.WriteByte(Outcome);
        _inner.Describe(writer, code);
    }

    internal override void Write(GraphWriter writer, ReadOnlySpan<Delayed<CallOutcome<T>>> calls)
    {
        var inner = new Delayed<T>[calls.Length];
        for (var i = 0; i < calls.Length; i++)
        {
            inner[i] = ((OutcomeCall<T>)calls[i].Form!).Inner;
        }

        _inner.Write(writer, inner);
    }

    internal override void Read(GraphReader reader, Span<Delayed<CallOutcome<T>>> into)
    {
        var inner = new Delayed<T>[into.Length];
        _inner.Read(reader, inner);
        for (var i = 0; i < inner.Length; i++)
        {
            into[i] = inner[i].AsOutcome();
        }
    }
}
