using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>A delayed call inside the data of another: its function and arguments. What applies one to the other is made anew.</summary>
internal sealed class CallCodec<TFunction, TArguments, T>(Type type, FieldCodec<TArguments> arguments) : ObjectCodec(type)
    where TFunction : Delegate
    where TArguments : struct, ITuple
{
    internal override bool IsConstructed => true;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        writer.Charge(HeaderSize + 32 + Unsafe.SizeOf<TArguments>());
        var call = (IFunctionCall<TFunction, TArguments>)value;
        writer.WriteReference(call.TypedFunction);
        var copy = call.TypedArguments;
        arguments.Write(writer, ref copy);
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        reader.Charge(HeaderSize + 32 + Unsafe.SizeOf<TArguments>());
        var function = ReferenceCodec<TFunction>.Cast(reader.ReadReference()) ?? throw PayloadReader.Malformed("a call without a function");
        var read = default(TArguments);
        arguments.Read(reader, ref read);
        return Type == typeof(FunctionCall<TFunction, TArguments, T>)
            ? new FunctionCall<TFunction, TArguments, T>(function, read, CallApplication.Of<TFunction, TArguments, T>())
            : new AsyncFunctionCall<TFunction, TArguments, T>(function, read, CallApplication.AsyncOf<TFunction, TArguments, T>());
    }
}
