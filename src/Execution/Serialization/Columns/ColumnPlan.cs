using System.Reflection;
using System.Reflection.Emit;

namespace Orleans.Joblib;

/// <summary>One variable of a shape of calls: a captured variable, or an argument.</summary>
internal abstract class ColumnPlan(FieldInfo variable, string label)
{
    internal FieldInfo Field => variable;

    internal string Label => label;

    /// <summary>Memory for each value.</summary>
    internal abstract int Size { get; }

    /// <summary>Writes the variable of each of the sources, which are closures (an object array) or tuples of arguments (an array of those).</summary>
    internal abstract void Write(GraphWriter writer, Array sources, int count);

    /// <summary>Reads the variable's values, into an array that <see cref="Return"/> takes back.</summary>
    internal abstract Array Read(GraphReader reader, int count);

    internal abstract void Return(Array values);

    internal static ColumnPlan Of(FieldInfo field, Type source, string label, FieldCodec codec) =>
        (ColumnPlan)Activator.CreateInstance(
            typeof(ColumnPlan<>).MakeGenericType(field.FieldType), BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public, null, [field, source, label, codec], null)!;

    /// <summary>Compiles <c>for (i) values[i] = sources[i].field</c>.</summary>
    private protected static Action<Array, T[], int> EmitGather<T>(FieldInfo field, Type source)
    {
        var code = ColumnLoop.NewMethod($"Gather {field.Name}", typeof(Array), typeof(T[]));
        var il = code.GetILGenerator();
        ColumnLoop.Emit(il, i =>
        {
            il.Emit(OpCodes.Ldarg_2);
            il.Emit(OpCodes.Ldloc, i);
            il.Emit(OpCodes.Ldarg_1);
            il.Emit(OpCodes.Ldloc, i);
            if (source.IsValueType)
            {
                il.Emit(OpCodes.Ldelema, source);
            }
            else
            {
                il.Emit(OpCodes.Ldelem_Ref);
            }

            il.Emit(OpCodes.Ldfld, field);
            il.Emit(OpCodes.Stelem, typeof(T));
        });
        il.Emit(OpCodes.Ret);
        return code.CreateDelegate<Action<Array, T[], int>>(new object());
    }
}
