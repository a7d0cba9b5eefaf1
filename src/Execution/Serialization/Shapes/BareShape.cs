namespace Orleans.Joblib;

/// <summary>Calls that are nothing but a <see cref="Func{T}"/>.</summary>
internal sealed class BareShape<T> : CallShape<T>
{
    private readonly FunctionShape<Func<T>> _function;

    internal BareShape(Func<T> function, GraphWriter writer) => _function = FunctionShape<Func<T>>.Of(function, writer);

    internal BareShape(PayloadReader reader, DecodingContext context) => _function = FunctionShape<Func<T>>.Read(reader, context);

    internal override int Memory => 16 + _function.Memory;

    internal override void Describe(PayloadWriter writer, ICodeReferences code)
    {
        writer.WriteByte(Bare);
        TypeNames.Write(writer, typeof(T), code);
        _function.Describe(writer);
    }

    internal override void Write(GraphWriter writer, ReadOnlySpan<Delayed<T>> calls)
    {
        // A delayed call that is a function is one reference to it.
        var functions = System.Runtime.InteropServices.MemoryMarshal.CreateReadOnlySpan(
            ref System.Runtime.CompilerServices.Unsafe.As<Delayed<T>, Func<T>>(ref System.Runtime.InteropServices.MemoryMarshal.GetReference(calls)), calls.Length);
        _function.Write(writer, functions);
    }

    internal override void Read(GraphReader reader, Span<Delayed<T>> into)
    {
        var functions = new Func<T>[into.Length];
        _function.Read(reader, functions, into.Length);
        for (var i = 0; i < functions.Length; i++)
        {
            into[i] = new Delayed<T>(functions[i]);
        }
    }
}
