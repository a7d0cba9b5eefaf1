using System.Reflection;
using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>A class that the C# compiler made for captured variables: of each object only the fields that are read anywhere, by their numbers.</summary>
internal sealed class ClosureCodec : ObjectCodec
{
    private readonly CodecTable _codecs;
    private readonly Action<GraphWriter, object>?[] _writers;
    private readonly Action<GraphReader, object>?[] _readers;
    private readonly Func<object, object?>?[] _nested;
    private readonly int _size;

    internal ClosureCodec(Type type, CodecTable codecs)
        : base(type)
    {
        _codecs = codecs;
        Definition = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        Fields = FieldPlan.FieldsOf(type, typeof(object));
        _writers = new Action<GraphWriter, object>?[Fields.Length];
        _readers = new Action<GraphReader, object>?[Fields.Length];
        _nested = new Func<object, object?>?[Fields.Length];
        for (var i = 0; i < Fields.Length; i++)
        {
            if (GraphPath.IsClosure(Fields[i].FieldType))
            {
                _nested[i] = Fields[i].GetValue;
            }
        }

        _size = HeaderSize + (16 * Fields.Length);
    }

    internal Type Definition { get; }

    internal FieldInfo[] Fields { get; }

    internal override bool IsClosure => true;

    internal object? NestedClosure(int field, object closure) => _nested[field]?.Invoke(closure);

    internal override void WriteNew(GraphWriter writer, object value, int id) => writer.Charge(_size);

    internal override object ReadNew(GraphReader reader, int id)
    {
        reader.Charge(_size);
        return RuntimeHelpers.GetUninitializedObject(Type);
    }

    /// <summary>Writes the fields that are needed by now and have not been written.</summary>
    internal void WriteFields(GraphWriter writer, ClosureState state)
    {
        var count = 0;
        for (var i = 0; i < Fields.Length; i++)
        {
            count += state.Needed[i] && !state.Written[i] ? 1 : 0;
        }

        writer.WriteVarUInt((ulong)count);
        for (var i = 0; i < Fields.Length; i++)
        {
            if (state.Needed[i] && !state.Written[i])
            {
                state.Written[i] = true;
                writer.WriteVarUInt((ulong)i);
                (_writers[i] ??= Plan(i).EmitWriter())(writer, state.Closure);
                if (--count == 0)
                {
                    break;
                }
            }
        }
    }

    internal void ReadFields(GraphReader reader, object closure)
    {
        for (var count = reader.ReadCount(); count > 0; count--)
        {
            var i = reader.ReadVarUInt();
            if (i >= (ulong)Fields.Length)
            {
                throw PayloadReader.Malformed($"'{Type}' has no field '{i}'");
            }

            (_readers[i] ??= Plan((int)i).EmitReader())(reader, closure);
        }
    }

    private FieldPlan Plan(int i) =>
        FieldPlan.Single(Type, Fields[i], _nested[i] is null ? _codecs.FieldFor(Fields[i].FieldType) : CodecTable.ClosureReference(Fields[i].FieldType, isNested: true, null));
}
