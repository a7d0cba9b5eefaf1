namespace Orleans.Joblib;

/// <summary>Calls that are alike and return <typeparamref name="T"/>.</summary>
internal abstract class CallShape<T> : CallShape
{
    private Type? _form;
    private DelegateKey _key;

    internal byte[] Description { get; private set; } = [];

    /// <summary>The shape of a call.</summary>
    internal static CallShape<T> Of(Delayed<T> call, GraphWriter writer)
    {
        var shape = Create(call, writer);
        shape._form = call.Form!.GetType();
        shape._key = DelegateKey.Of(call.Function);
        var description = new PayloadWriter();
        shape.Describe(description, writer.Codecs.Code);
        shape.Description = description.ToArray();
        return shape;
    }

    internal bool Matches(Delayed<T> call) =>
        call.Form is { } form && form.GetType() == _form && _key.Matches(form as Delegate ?? ((ICallDescription)form).Function);

    internal abstract void Describe(PayloadWriter writer, ICodeReferences code);

    internal abstract void Write(GraphWriter writer, ReadOnlySpan<Delayed<T>> calls);

    internal abstract void Read(GraphReader reader, Span<Delayed<T>> into);

    internal override DecodedCalls NewCalls(int count) => new DecodedCalls<T>(new Delayed<T>[count]);

    internal override DecodedCalls Decode(GraphReader reader, int count)
    {
        var calls = new DecodedCalls<T>(new Delayed<T>[count]);
        Read(reader, calls.Calls);
        return calls;
    }

    internal override void Decode(GraphReader reader, DecodedCalls into, ReadOnlySpan<int> places)
    {
        var calls = (into as DecodedCalls<T> ?? throw PayloadReader.Malformed("calls of one batch return different types")).Calls;
        var part = new Delayed<T>[places.Length];
        Read(reader, part);
        for (var i = 0; i < places.Length; i++)
        {
            calls[places[i]] = part[i];
        }
    }

    private static CallShape<T> Create(Delayed<T> call, GraphWriter writer)
    {
        if (call.Form is Func<T> function)
        {
            return new BareShape<T>(function, writer);
        }

        var form = call.Form!.GetType();
        var open = form.GetGenericTypeDefinition();
        return open == typeof(OutcomeCall<>)
            ? Make<CallShape<T>>(typeof(OutcomeShape<>), form.GetGenericArguments(), call.Form, writer)
            : Make<CallShape<T>>(typeof(FunctionCallShape<,,>), form.GetGenericArguments(), call.Form, writer, open == typeof(AsyncFunctionCall<,,>));
    }
}
