using System.Reflection;
using System.Reflection.Emit;

namespace Orleans.Joblib;

/// <summary>What the compiled loops over columns have in common: columns in argument 1, the number of calls in argument 3.</summary>
internal static class ColumnLoop
{
    internal static DynamicMethod NewMethod(string name, Type columns, Type calls) =>
        new(name, typeof(void), [typeof(object), columns, calls, typeof(int)], typeof(ColumnPlan).Module, skipVisibility: true);

    /// <summary>Emits <c>for (i = 0; i &lt; count; i++) { body(i) }</c>.</summary>
    internal static void Emit(ILGenerator il, Action<LocalBuilder> body)
    {
        var i = il.DeclareLocal(typeof(int));
        var test = il.DefineLabel();
        var next = il.DefineLabel();
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Stloc, i);
        il.Emit(OpCodes.Br, test);
        il.MarkLabel(next);
        body(i);
        il.Emit(OpCodes.Ldloc, i);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Stloc, i);
        il.MarkLabel(test);
        il.Emit(OpCodes.Ldloc, i);
        il.Emit(OpCodes.Ldarg_3);
        il.Emit(OpCodes.Blt, next);
    }

    /// <summary>Emits <c>column = columns[k]</c>.</summary>
    internal static LocalBuilder EmitColumn(ILGenerator il, int k, FieldInfo field)
    {
        var column = il.DeclareLocal(field.FieldType.MakeArrayType());
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ldc_I4, k);
        il.Emit(OpCodes.Ldelem_Ref);
        il.Emit(OpCodes.Stloc, column);
        return column;
    }

    /// <summary>Emits <c>(reference on the stack).field = column[i]</c>.</summary>
    internal static void EmitStore(ILGenerator il, LocalBuilder column, LocalBuilder i, FieldInfo field)
    {
        il.Emit(OpCodes.Ldloc, column);
        il.Emit(OpCodes.Ldloc, i);
        il.Emit(OpCodes.Ldelem, field.FieldType);
        il.Emit(OpCodes.Stfld, field);
    }
}
