using System.Buffers;
using System.Reflection;
using System.Reflection.Emit;

namespace Orleans.Joblib;

/// <summary>How the functions of many calls over one method are written: the method once, and of each function only what makes it differ.</summary>
internal sealed class FunctionShape<TFunction>
    where TFunction : Delegate
{
    /// <summary>The functions do not differ.</summary>
    private const byte Shared = 0;

    /// <summary>Each has a closure of its own, which nobody writes to: its variables are columns.</summary>
    private const byte Flat = 1;

    /// <summary>Each has an object of the user's.</summary>
    private const byte Targets = 2;

    /// <summary>Delegates like any others: with closures that are written to, and may be shared, or with several targets.</summary>
    private const byte Whole = 3;

    private const int DelegateSize = 80;

    private readonly byte _kind;
    private readonly DelegatePlan? _plan;
    private readonly ColumnPlan[] _columns;
    private readonly FieldCodec<TFunction>? _whole;
    private readonly FieldCodec<object>? _targets;
    private readonly int[] _fields;
    private Action<Array[], TFunction[], int>? _build;
    private Func<object?, Delegate>? _create;

    private FunctionShape(byte kind, DelegatePlan? plan, int[] fields, Func<FieldInfo, FieldCodec> codecOf, CodecTable codecs)
    {
        _kind = kind;
        _plan = plan;
        _fields = fields;
        var all = kind == Flat ? FieldPlan.FieldsOf(plan!.Method.DeclaringType!, typeof(object)) : [];
        _columns = [.. fields.Select(i => ColumnPlan.Of(all[i], all[i].DeclaringType!, GraphPath.NameOf(all[i]), codecOf(all[i])))];
        _whole = kind == Whole ? codecs.FieldFor<TFunction>() : null;
        _targets = kind == Targets ? codecs.FieldFor<object>() : null;
        Memory = kind switch
        {
            Shared => 0,
            Flat => DelegateSize + ObjectCodec.HeaderSize + (16 * all.Length) + _columns.Sum(column => column.Size),
            _ => DelegateSize + 16,
        };
    }

    /// <summary>Memory for each call.</summary>
    internal int Memory { get; }

    internal static FunctionShape<TFunction> Of(TFunction function, GraphWriter writer)
    {
        var codecs = writer.Codecs;
        if (!function.HasSingleTarget)
        {
            return new FunctionShape<TFunction>(Whole, null, [], null!, codecs);
        }

        var plan = codecs.PlanOf(function);
        if (!plan.HasTarget)
        {
            return new FunctionShape<TFunction>(Shared, plan, [], null!, codecs);
        }

        var target = function.Target!.GetType();
        if (!plan.IsClosure)
        {
            return new FunctionShape<TFunction>(Targets, plan, [], null!, codecs);
        }

        if (plan.Use == ClosureUse.Everything || plan.Method.DeclaringType != target || !codecs.Analyzer.IsReadOnly(target))
        {
            return new FunctionShape<TFunction>(Whole, null, [], null!, codecs);
        }

        var definition = target.IsGenericType ? target.GetGenericTypeDefinition() : target;
        var all = FieldPlan.FieldsOf(target, typeof(object));
        var fields = Enumerable.Range(0, all.Length).Where(i => plan.Use!.Reads(definition, all[i].Name)).ToArray();
        return new FunctionShape<TFunction>(
            Flat,
            plan,
            fields,
            field =>
            {
                writer.SetRoot(GraphPath.NameOf(field));
                return GraphPath.IsClosure(field.FieldType) ? CodecTable.ClosureReference(field.FieldType, isNested: false, plan.Use) : codecs.FieldFor(field.FieldType);
            },
            codecs);
    }

    internal static FunctionShape<TFunction> Read(PayloadReader reader, DecodingContext context)
    {
        var kind = reader.ReadByte();
        if (kind > Whole)
        {
            throw PayloadReader.Malformed("functions are written in an unknown way");
        }

        if (kind == Whole)
        {
            return new FunctionShape<TFunction>(Whole, null, [], null!, context.Codecs);
        }

        var plan = context.PlanOf(reader.ReadBlob());
        if (plan.DelegateType != typeof(TFunction) || plan.HasTarget != (kind != Shared) || (kind == Flat && !plan.IsClosure))
        {
            throw PayloadReader.Malformed($"a '{typeof(TFunction)}' over '{plan.Method}'");
        }

        int[] fields = [];
        if (kind == Flat)
        {
            var owner = plan.Method.DeclaringType!;
            var all = FieldPlan.FieldsOf(owner, typeof(object));
            fields = new int[reader.ReadCount()];
            for (var i = 0; i < fields.Length; i++)
            {
                var field = reader.ReadVarUInt();
                fields[i] = field < (ulong)all.Length ? (int)field : throw PayloadReader.Malformed($"'{owner}' has no field '{field}'");
            }

            if (plan.Method.IsStatic || owner.GetConstructor(Type.EmptyTypes) is null)
            {
                throw PayloadReader.Malformed($"'{owner}' is no closure");
            }
        }

        return new FunctionShape<TFunction>(
            kind,
            plan,
            fields,
            field => GraphPath.IsClosure(field.FieldType) ? CodecTable.ClosureReference(field.FieldType, isNested: false, null) : context.Codecs.FieldFor(field.FieldType),
            context.Codecs);
    }

    internal void Describe(PayloadWriter writer)
    {
        writer.WriteByte(_kind);
        if (_kind == Whole)
        {
            return;
        }

        writer.WriteBlob(_plan!.Description);
        if (_kind == Flat)
        {
            writer.WriteVarUInt((ulong)_fields.Length);
            foreach (var field in _fields)
            {
                writer.WriteVarUInt((ulong)field);
            }
        }
    }

    internal void Write(GraphWriter writer, ReadOnlySpan<TFunction> functions)
    {
        if (_kind == Shared)
        {
            return;
        }

        if (_kind == Whole)
        {
            writer.SetRoot("");
            Column.Write(writer, functions.ToArray().AsSpan(), _whole!);
            return;
        }

        var targets = ArrayPool<object>.Shared.Rent(functions.Length);
        for (var i = 0; i < functions.Length; i++)
        {
            targets[i] = DelegateKey.Target(functions[i])!;
        }

        WriteTargets(writer, targets, functions.Length);
        ArrayPool<object>.Shared.Return(targets, clearArray: true);
    }

    internal void Read(GraphReader reader, TFunction[] into, int count)
    {
        switch (_kind)
        {
            case Shared:
                into.AsSpan(0, count).Fill((TFunction)_plan!.Create(null));
                break;

            case Whole:
                Column.Read(reader, into.AsSpan(0, count), _whole!);
                foreach (var function in into.AsSpan(0, count))
                {
                    if (function is null)
                    {
                        throw PayloadReader.Malformed("a call without a function");
                    }
                }

                break;

            case Targets:
                ReadTargets(reader, into, count);
                break;

            default:
                var columns = new Array[_columns.Length];
                for (var i = 0; i < columns.Length; i++)
                {
                    columns[i] = _columns[i].Read(reader, count);
                }

                (_build ??= EmitBuild())(columns, into, count);
                for (var i = 0; i < columns.Length; i++)
                {
                    _columns[i].Return(columns[i]);
                }

                break;
        }
    }

    private void WriteTargets(GraphWriter writer, object[] targets, int count)
    {
        if (_kind == Targets)
        {
            writer.SetRoot(_plan!.Method.IsStatic ? $"argument 0 of '{_plan.Method.Name}'" : "'this'");
            Column.Write(writer, targets.AsSpan(0, count), _targets!);
            return;
        }

        foreach (var column in _columns)
        {
            column.Write(writer, targets, count);
        }
    }

    private void ReadTargets(GraphReader reader, TFunction[] into, int count)
    {
        var targets = new object[count];
        Column.Read(reader, targets.AsSpan(), _targets!);
        _create ??= _plan!.Create;
        for (var i = 0; i < count; i++)
        {
            into[i] = i > 0 && ReferenceEquals(targets[i], targets[i - 1]) ? into[i - 1] : (TFunction)_create(targets[i]);
        }
    }

    /// <summary>Compiles <c>for (i) { c = new Closure(); c.x = columns[0][i]; …; into[i] = new TFunction(c, method); }</c>.</summary>
    private Action<Array[], TFunction[], int> EmitBuild()
    {
        var owner = _plan!.Method.DeclaringType!;
        var code = ColumnLoop.NewMethod("Build", typeof(Array[]), typeof(TFunction[]));
        var il = code.GetILGenerator();
        var columns = _columns.Select((column, k) => ColumnLoop.EmitColumn(il, k, column.Field)).ToArray();
        var closure = il.DeclareLocal(owner);
        ColumnLoop.Emit(il, i =>
        {
            il.Emit(OpCodes.Newobj, owner.GetConstructor(Type.EmptyTypes)!);
            il.Emit(OpCodes.Stloc, closure);
            for (var k = 0; k < columns.Length; k++)
            {
                il.Emit(OpCodes.Ldloc, closure);
                ColumnLoop.EmitStore(il, columns[k], i, _columns[k].Field);
            }

            il.Emit(OpCodes.Ldarg_2);
            il.Emit(OpCodes.Ldloc, i);
            il.Emit(OpCodes.Ldloc, closure);
            _plan.EmitNew(il);
            il.Emit(OpCodes.Stelem_Ref);
        });
        il.Emit(OpCodes.Ret);
        return code.CreateDelegate<Action<Array[], TFunction[], int>>(new object());
    }
}
