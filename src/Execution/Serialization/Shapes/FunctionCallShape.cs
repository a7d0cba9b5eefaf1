using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>Calls of a function with arguments, which are columns.</summary>
internal sealed class FunctionCallShape<TFunction, TArguments, T> : CallShape<T>
    where TFunction : Delegate
    where TArguments : struct, ITuple
{
    private readonly bool _isAsync;
    private readonly FunctionShape<TFunction> _function;
    private readonly ColumnPlan[] _columns;
    private readonly Func<TFunction, TArguments, CancellationToken, T>? _apply;
    private readonly Func<TFunction, TArguments, CancellationToken, Task<T>>? _start;
    private Action<Array[], TArguments[], int>? _build;

    internal FunctionCallShape(Call<T> call, GraphWriter writer, bool isAsync)
    {
        _isAsync = isAsync;
        _function = FunctionShape<TFunction>.Of((TFunction)call.Function, writer);
        _columns = [.. Fields().Select((field, i) =>
        {
            writer.SetRoot(Label(field, i));
            return ColumnPlan.Of(field, typeof(TArguments), Label(field, i), writer.Codecs.FieldFor(field.FieldType));
        })];
    }

    internal FunctionCallShape(PayloadReader reader, DecodingContext context, bool isAsync)
    {
        _isAsync = isAsync;
        _function = FunctionShape<TFunction>.Read(reader, context);
        if (!typeof(TArguments).FullName!.StartsWith("System.ValueTuple", StringComparison.Ordinal))
        {
            throw PayloadReader.Malformed($"arguments in a '{typeof(TArguments)}'");
        }

        _columns = [.. Fields().Select((field, i) => ColumnPlan.Of(field, typeof(TArguments), Label(field, i), context.Codecs.FieldFor(field.FieldType)))];
        if (isAsync)
        {
            _start = CallApplication.AsyncOf<TFunction, TArguments, T>();
        }
        else
        {
            _apply = CallApplication.Of<TFunction, TArguments, T>();
        }
    }

    internal override int Memory => 64 + (2 * Unsafe.SizeOf<TArguments>()) + _function.Memory + _columns.Sum(column => column.Size);

    internal override void Describe(PayloadWriter writer, ICodeReferences code)
    {
        writer.WriteByte(_isAsync ? AsyncFunction : Function);
        TypeNames.Write(writer, typeof(T), code);
        TypeNames.Write(writer, typeof(TFunction), code);
        TypeNames.Write(writer, typeof(TArguments), code);
        _function.Describe(writer);
    }

    internal override void Write(GraphWriter writer, ReadOnlySpan<Delayed<T>> calls)
    {
        var functions = new TFunction[calls.Length];
        var arguments = new TArguments[calls.Length];
        for (var i = 0; i < calls.Length; i++)
        {
            // Both kinds of calls with arguments have these members; the shape says that it is one of them.
            var call = (IFunctionCall<TFunction, TArguments>)calls[i].Form!;
            functions[i] = call.TypedFunction;
            arguments[i] = call.TypedArguments;
        }

        _function.Write(writer, functions);
        foreach (var column in _columns)
        {
            column.Write(writer, arguments, calls.Length);
        }
    }

    internal override void Read(GraphReader reader, Span<Delayed<T>> into)
    {
        var functions = new TFunction[into.Length];
        _function.Read(reader, functions, into.Length);
        var arguments = new TArguments[into.Length];
        if (_columns.Length > 0)
        {
            var columns = new Array[_columns.Length];
            for (var i = 0; i < columns.Length; i++)
            {
                columns[i] = _columns[i].Read(reader, into.Length);
            }

            (_build ??= EmitBuild())(columns, arguments, into.Length);
            for (var i = 0; i < columns.Length; i++)
            {
                _columns[i].Return(columns[i]);
            }
        }

        for (var i = 0; i < into.Length; i++)
        {
            into[i] = new Delayed<T>(
                _isAsync
                    ? new AsyncFunctionCall<TFunction, TArguments, T>(functions[i], arguments[i], _start!)
                    : new FunctionCall<TFunction, TArguments, T>(functions[i], arguments[i], _apply!));
        }
    }

    private static FieldInfo[] Fields() => FieldPlan.FieldsOf(typeof(TArguments), typeof(ValueType));

    private static string Label(FieldInfo field, int i) => field.Name == "Rest" ? "arguments 8 and following" : $"argument {i + 1}";

    /// <summary>Compiles <c>for (i) { into[i].Item1 = columns[0][i]; … }</c>.</summary>
    private Action<Array[], TArguments[], int> EmitBuild()
    {
        var code = ColumnLoop.NewMethod("Build", typeof(Array[]), typeof(TArguments[]));
        var il = code.GetILGenerator();
        for (var k = 0; k < _columns.Length; k++)
        {
            var field = _columns[k].Field;
            var column = ColumnLoop.EmitColumn(il, k, field);
            ColumnLoop.Emit(il, i =>
            {
                il.Emit(OpCodes.Ldarg_2);
                il.Emit(OpCodes.Ldloc, i);
                il.Emit(OpCodes.Ldelema, typeof(TArguments));
                ColumnLoop.EmitStore(il, column, i, field);
            });
        }

        il.Emit(OpCodes.Ret);
        return code.CreateDelegate<Action<Array[], TArguments[], int>>(new object());
    }
}
