using System.Reflection;
using System.Reflection.Emit;
using System.Text;

namespace Orleans.Joblib;

/// <summary>Instance fields of a type with the codecs of their values, and compiled code that goes through them.</summary>
internal sealed class FieldPlan
{
    private FieldPlan(Type type, FieldInfo[] fields, FieldCodec[] codecs)
    {
        Type = type;
        Fields = fields;
        Codecs = codecs;
    }

    internal Type Type { get; }

    internal FieldInfo[] Fields { get; }

    internal FieldCodec[] Codecs { get; }

    internal int LeastBytes => Codecs.Sum(codec => codec.LeastBytes);

    /// <summary>Memory that the fields take, a little more rather than less.</summary>
    internal int Size => Codecs.Sum(codec => Math.Max(codec.Size, 8));

    /// <summary>The fields of a type and of its bases up to <paramref name="end"/>, which is not included.</summary>
    internal static FieldPlan Of(Type type, Type end, Func<FieldInfo, FieldCodec> codecOf)
    {
        var fields = FieldsOf(type, end);
        var codecs = new FieldCodec[fields.Length];
        for (var i = 0; i < fields.Length; i++)
        {
            try
            {
                codecs[i] = codecOf(fields[i]);
            }
            catch (RefusedException refusal) when (refusal.Offender is null)
            {
                throw new RefusedException(type, $"has {GraphPath.NameOf(fields[i])} of type {GraphPath.NameOf(fields[i].FieldType)}, which {refusal.Reason}", null)
                {
                    Remedy = refusal.Remedy,
                };
            }
        }

        return new FieldPlan(type, fields, codecs);
    }

    internal static FieldInfo[] FieldsOf(Type type, Type end)
    {
        var fields = new List<FieldInfo>();
        for (var part = type; part is not null && part != end && part != typeof(object); part = part.BaseType)
        {
            fields.InsertRange(
                0, part.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly).OrderBy(field => field.MetadataToken));
        }

        return [.. fields];
    }

    internal static FieldPlan Single(Type type, FieldInfo field, FieldCodec codec) => new(type, [field], [codec]);

    /// <summary>Differs when another version of the framework lays the type out otherwise.</summary>
    internal uint Fingerprint()
    {
        var hash = 2166136261u;
        foreach (var field in Fields)
        {
            foreach (var unit in Encoding.UTF8.GetBytes($"{field.Name}:{field.FieldType};"))
            {
                hash = (hash ^ unit) * 16777619;
            }
        }

        return hash;
    }

    internal Action<GraphWriter, object> EmitWriter() => Emit<Action<GraphWriter, object>>(typeof(GraphWriter), typeof(object), "Write");

    internal Action<GraphReader, object> EmitReader() => Emit<Action<GraphReader, object>>(typeof(GraphReader), typeof(object), "Read");

    internal StructWriter<T> EmitStructWriter<T>()
        where T : struct => Emit<StructWriter<T>>(typeof(GraphWriter), typeof(T).MakeByRefType(), "Write");

    internal StructReader<T> EmitStructReader<T>()
        where T : struct => Emit<StructReader<T>>(typeof(GraphReader), typeof(T).MakeByRefType(), "Read");

    // For each field: codecs[i].Write(writer, ref target.field). No casts: the codecs were made for these very fields, and the target is of this very type.
    private TDelegate Emit<TDelegate>(Type wire, Type target, string method)
        where TDelegate : Delegate
    {
        var code = new DynamicMethod($"{method} {Type.Name}", typeof(void), [typeof(FieldCodec[]), wire, target], typeof(FieldPlan).Module, skipVisibility: true);
        var il = code.GetILGenerator();
        for (var i = 0; i < Fields.Length; i++)
        {
            var codec = typeof(FieldCodec<>).MakeGenericType(Fields[i].FieldType);
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldc_I4, i);
            il.Emit(OpCodes.Ldelem_Ref);
            il.Emit(OpCodes.Ldarg_1);
            il.Emit(OpCodes.Ldarg_2);
            il.Emit(OpCodes.Ldflda, Fields[i]);
            il.Emit(OpCodes.Callvirt, codec.GetMethod(method, BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public)!);
        }

        il.Emit(OpCodes.Ret);
        return code.CreateDelegate<TDelegate>(Codecs);
    }
}
