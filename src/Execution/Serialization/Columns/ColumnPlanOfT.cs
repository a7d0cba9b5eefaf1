using System.Buffers;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>One variable of type <typeparamref name="T"/> of a shape of calls.</summary>
internal sealed class ColumnPlan<T>(FieldInfo field, Type source, string label, FieldCodec<T> codec) : ColumnPlan(field, label)
{
    // A pool keeps arrays in static fields, where those of a user's type would keep its load context.
    private static readonly bool IsPooled = typeof(T).IsPrimitive || typeof(T) == typeof(string) || typeof(T) == typeof(object);

    private Action<Array, T[], int>? _gather;

    internal override int Size => Math.Max(Unsafe.SizeOf<T>(), 8);

    internal override void Write(GraphWriter writer, Array sources, int count)
    {
        writer.SetRoot(Label);
        var values = Rent(count);
        (_gather ??= EmitGather<T>(Field, source))(sources, values, count);
        Column.Write(writer, values.AsSpan(0, count), codec);
        Return(values);
    }

    internal override Array Read(GraphReader reader, int count)
    {
        var values = Rent(count);
        Column.Read(reader, values.AsSpan(0, count), codec);
        return values;
    }

    internal override void Return(Array values)
    {
        if (IsPooled)
        {
            ArrayPool<T>.Shared.Return((T[])values, clearArray: RuntimeHelpers.IsReferenceOrContainsReferences<T>());
        }
    }

    private static T[] Rent(int count) => IsPooled ? ArrayPool<T>.Shared.Rent(count) : new T[count];
}
