using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>A class, field by field, private and inherited ones too; no constructor runs.</summary>
internal sealed class ClassCodec : ObjectCodec
{
    private readonly Action<GraphWriter, object> _write;
    private readonly Action<GraphReader, object> _read;
    private readonly int _size;
    private readonly bool _hasFields;

    internal ClassCodec(Type type, FieldPlan plan)
        : base(type)
    {
        _write = plan.EmitWriter();
        _read = plan.EmitReader();
        _size = HeaderSize + plan.Size;
        _hasFields = plan.Fields.Length > 0;
        Fingerprint = SharedCode.IsShared(type.Assembly) ? plan.Fingerprint() : 0;
    }

    internal override uint Fingerprint { get; }

    internal override bool IsWhole => !_hasFields;

    internal override void WriteNew(GraphWriter writer, object value, int id)
    {
        writer.Charge(_size);
        if (_hasFields)
        {
            writer.Enqueue(id);
        }
    }

    internal override object ReadNew(GraphReader reader, int id)
    {
        reader.Charge(_size);
        if (_hasFields)
        {
            reader.Enqueue(id);
        }

        return RuntimeHelpers.GetUninitializedObject(Type);
    }

    internal override void WriteBody(GraphWriter writer, object value) => _write(writer, value);

    internal override void ReadBody(GraphReader reader, object value) => _read(reader, value);
}
